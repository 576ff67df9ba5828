import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { NONE, PlaceTable } from '../../../src/store/place-table.js';

/** All places with this hash, in the order in which they are found. */
function placesOf(table: PlaceTable, hash: number): number[] {
  const places = [];
  for (let slot = table.first(hash); slot !== NONE; slot = table.next(slot, hash)) places.push(table.placeAt(slot));
  return places;
}

function slotOf(table: PlaceTable, hash: number, place: number): number {
  let slot = table.first(hash);
  while (slot !== NONE && table.placeAt(slot) !== place) slot = table.next(slot, hash);
  return slot;
}

describe('a table of places', () => {
  it('has by each hash what was added and not removed, as a list for each hash has', () => {
    // Few of them, next to each other and at the end of the table: they stand in each other's way.
    const hash = fc.oneof(fc.constantFrom(-1, -2, 1023, 1022, 0, 1, 2), fc.integer({ min: -20, max: 20 }));
    const operation = fc.record({ hash, kind: fc.constantFrom('add', 'add', 'remove', 'move'), nth: fc.nat(20) });
    fc.assert(
      fc.property(fc.array(operation, { minLength: 50, maxLength: 300, size: 'max' }), (operations) => {
        const table = new PlaceTable();
        const model = new Map<number, number[]>();
        let newest = 2 ** 31;
        for (const { hash, kind, nth } of operations) {
          const places = model.get(hash) ?? [];
          model.set(hash, places);
          const at = nth % Math.max(places.length, 1);
          if (kind === 'add') {
            table.add(hash, ++newest);
            places.push(newest);
          } else if (places.length > 0) {
            const slot = slotOf(table, hash, places[at]!);
            if (kind === 'remove') {
              table.remove(slot);
              places.splice(at, 1);
            } else {
              table.move(slot, ++newest);
              places[at] = newest;
            }
          }
        }
        for (const [known, places] of model) expect(placesOf(table, known).sort()).toEqual(places.sort());
      }),
    );
  });

  it('grows, with all that it has', () => {
    const table = new PlaceTable();
    const hashOf = (place: number): number => Math.imul(place, 0x9e3779b1);
    for (let place = 0; place < 100_000; place++) table.add(hashOf(place), place);
    for (let place = 0; place < 100_000; place += 2) table.remove(slotOf(table, hashOf(place), place));
    const found = Array.from({ length: 100_000 }, (_, place) => placesOf(table, hashOf(place)));
    expect(found).toEqual(found.map((_, place) => (place % 2 === 0 ? [] : [place])));
  });

  it('tells what it takes: between 10 and 22 bytes for an entry, when there are many', () => {
    const table = new PlaceTable();
    const each: number[] = [];
    for (let entries = 1; entries <= 300_000; entries++) {
      table.add(Math.imul(entries, 0x9e3779b1), entries);
      if (entries >= 1000) each.push(table.bytes / entries);
    }
    expect(each.every((bytes) => bytes > 10 && bytes < 22)).toBe(true);
  });
});
