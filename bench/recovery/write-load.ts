// What is asked of the process that writes, and what does it tell?

/** Bytes of each value; they are random, so that neither disk nor wire can make them smaller. */
export const VALUE_BYTES = 100;

export interface WriteLoad {
  readonly method: 'PUT' | 'DELETE';
  /** Each key is written at one of them, at random. */
  readonly urls: readonly string[];
  readonly indices: Uint32Array;
  /** Of all of them together, evenly; undefined: as fast as they are taken. */
  readonly perSecond?: number;
  /** At each of them, each with a connection and one request under way; undefined: many. */
  readonly clients?: number;
}

export type WriterMessage =
  { readonly kind: 'progress'; readonly done: number } | { readonly kind: 'done'; readonly seconds: number };

export function keyOf(index: number): string {
  return `bench-${String(index).padStart(8, '0')}`;
}

/** All keys of this benchmark are equally long. */
export const KEY_BYTES = keyOf(0).length;
