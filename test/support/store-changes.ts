// How do tests of a store write down changes, and read back what is there?

import type { KeyRange, Store, StoreChange, StoreSnapshot } from '../../src/store/store.port.js';

/** Beyond every key that a test uses: more 0xff bytes than any of them has. */
export const WHOLE_STORE: KeyRange = { gte: new Uint8Array(), lt: new Uint8Array(64).fill(0xff) };

/** Each character is one byte, so that `'\x00'` and `'\xff'` are what they look like. */
export function bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

export function shown(value: Uint8Array | undefined): string | undefined {
  return value && String.fromCharCode(...value);
}

export function put(key: string, value: string): StoreChange {
  return { type: 'put', key: bytes(key), value: bytes(value) };
}

export function del(key: string): StoreChange {
  return { type: 'del', key: bytes(key) };
}

export function range(gte: string, lt: string): KeyRange {
  return { gte: bytes(gte), lt: bytes(lt) };
}

/** What a snapshot taken now holds under `key`. */
export function read(store: Store, key: string): string | undefined {
  const snapshot = store.snapshot();
  try {
    return shown(snapshot.get(bytes(key)));
  } finally {
    snapshot.close();
  }
}

export async function scanned(
  snapshot: StoreSnapshot,
  scope: KeyRange = WHOLE_STORE,
  chunkMax = 100,
): Promise<[key: string, value: string][]> {
  const entries: [string, string][] = [];
  for await (const chunk of snapshot.scan(scope, chunkMax)) {
    for (const [key, value] of chunk) entries.push([shown(key)!, shown(value)!]);
  }
  return entries;
}

/** Everything the store holds now, in its order. */
export async function contents(store: Store): Promise<[key: string, value: string][]> {
  const snapshot = store.snapshot();
  try {
    return await scanned(snapshot);
  } finally {
    snapshot.close();
  }
}
