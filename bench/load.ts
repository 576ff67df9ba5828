// What is asked of a generator of load, and what does it tell?

export const VALUE_BYTES = 100;

export interface Load {
  readonly method: 'GET' | 'PUT';
  /** The connections are spread over all of them. */
  readonly urls: readonly string[];
  readonly connections: number;
  /** Each key is asked for by one connection, in turn. */
  readonly keys: number;
  /** For so long; undefined: each key once. */
  readonly seconds: number | undefined;
}

export interface Measurement {
  readonly requests: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of one core, from 0 to 1. */
  readonly generatorBusy: number;
}

export function keyOf(index: number): string {
  return `bench-${String(index).padStart(7, '0')}`;
}
