// How are the records of one snapshot read? Checked, each of them, and whoever watches for damage hears of it before the reader
// does. A record in a damaged part of the database is a damaged record: it can be written anew.

import { StoreReadError } from './errors.js';
import { CorruptRecordError } from './record-codec.js';
import type { KeyRange, StoreEntry, StoreSnapshot } from './store.port.js';

/** Entries a scan fetches in one hop to the store. */
export const SCAN_CHUNK = 1000;

/** Hears of every record that can't be read, before its reader does. */
export type DamageListener = (error: CorruptRecordError) => void;

export class RecordReader {
  constructor(
    private readonly snapshot: StoreSnapshot,
    private readonly damaged: DamageListener,
  ) {}

  /** @throws CorruptRecordError */
  get(recordKey: Uint8Array): Uint8Array | undefined {
    try {
      return this.snapshot.get(recordKey);
    } catch (error) {
      if (!(error instanceof StoreReadError)) throw error;
      throw this.unreadable(recordKey, error);
    }
  }

  /** What the reader of a record gets that stands in a damaged part of the database. */
  unreadable(recordKey: Uint8Array, cause: StoreReadError): CorruptRecordError {
    const error = new CorruptRecordError(cause.message, recordKey, { cause });
    this.damaged(error);
    return error;
  }

  /** @throws CorruptRecordError */
  decode<T>(decode: (recordKey: Uint8Array, record: Uint8Array) => T, recordKey: Uint8Array, record: Uint8Array): T {
    try {
      return decode(recordKey, record);
    } catch (error) {
      if (error instanceof CorruptRecordError) this.damaged(error);
      throw error;
    }
  }

  /** @param wanted how many are of use, for who knows: no more are fetched before they turn out to be too few */
  async *scan({ gte, lt }: KeyRange, wanted = SCAN_CHUNK): AsyncGenerator<StoreEntry> {
    let from = gte;
    if (wanted < SCAN_CHUNK) {
      for await (const chunk of this.snapshot.scan({ gte, lt }, wanted)) {
        yield* chunk;
        from = Buffer.concat([chunk.at(-1)![0], Buffer.of(0)]);
        break;
      }
    }
    for await (const chunk of this.snapshot.scan({ gte: from, lt }, SCAN_CHUNK)) yield* chunk;
  }
}
