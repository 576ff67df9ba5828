// What can a store fail with, once it is open?

/** What should be there can't be read: the database's files are damaged, or the disk fails. */
export class StoreReadError extends Error {
  readonly code = 'STORE_READ_FAILED';

  /**
   * @param through of a scan, the last key of the part that can't be read: a scan from behind it can go on; undefined: the
   * part reaches to the end of the range
   */
  constructor(
    message: string,
    options?: ErrorOptions,
    readonly through?: Uint8Array,
  ) {
    super(message, options);
  }
}

/** A commit was refused: the disk is full or fails, or the database's files are damaged. */
export class StoreWriteError extends Error {
  readonly code = 'STORE_WRITE_FAILED';
}
