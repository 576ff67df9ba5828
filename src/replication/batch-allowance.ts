// How much may the operations of one batch look at? They run in one turn of the event loop, and what they bring is in memory
// until all are on disk: what a client stored once, a few bytes can ask for ten thousand times.

import type { Container } from '../clock/container.js';
import { bytesOf } from './container-bytes.js';

/** What its reads bring is in memory while its answer is made. */
export const BATCH_READ_BYTES_MAX = 16 * 1024 * 1024;

/** What all of its operations find. So much is read and decoded in a tenth of a second or two. */
export const BATCH_FOUND_BYTES_MAX = 64 * 1024 * 1024;

/** To decode a version, and to go over it for each rule, takes about as long as to read so many bytes of a value. */
const FOUND_BYTES_PER_VERSION = 512;

export class BatchAllowance {
  private readBytesLeft = BATCH_READ_BYTES_MAX;
  private foundBytesLeft = BATCH_FOUND_BYTES_MAX;

  /**
   * Whether this operation may be done. Once one may not, none of its kind after it may: the rest can be sent as it is.
   * @param find looks the key up, which costs as much as to do the operation. @throws what it throws
   */
  allows({ kind, key }: { readonly kind: 'read' | 'write'; readonly key: string }, find: () => Container): boolean {
    if (this.foundBytesLeft <= 0 || (kind === 'read' && this.readBytesLeft < 0)) return false;
    // The first one is done, however much it finds: or it would never be.
    const isFirstRead = this.readBytesLeft === BATCH_READ_BYTES_MAX;
    const found = find();
    const bytes = bytesOf(key, found);
    this.foundBytesLeft -= bytes + FOUND_BYTES_PER_VERSION * found.versions.length;
    if (kind === 'read') this.readBytesLeft -= bytes;
    return kind === 'write' || isFirstRead || this.readBytesLeft >= 0;
  }
}
