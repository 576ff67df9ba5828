// Who hears that a record can't be read? Whoever watches for damage, before the reader gets the error.

import { StoreReadError } from './errors.js';
import { CorruptRecordError } from './record-codec.js';
import type { StoreSnapshot } from './store.port.js';

/** Hears of every record that can't be read, before its reader does. */
export type DamageListener = (error: CorruptRecordError) => void;

/** Reads records of one snapshot. */
export class RecordReader {
  constructor(
    private readonly snapshot: Pick<StoreSnapshot, 'get'>,
    private readonly damaged: DamageListener,
  ) {}

  /**
   * A record in a damaged part of the database is a damaged record: it can be written anew.
   * @throws CorruptRecordError
   */
  get(recordKey: Uint8Array): Uint8Array | undefined {
    try {
      return this.snapshot.get(recordKey);
    } catch (error) {
      if (!(error instanceof StoreReadError)) throw error;
      const corrupt = new CorruptRecordError(error.message, recordKey, { cause: error });
      this.damaged(corrupt);
      throw corrupt;
    }
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
}
