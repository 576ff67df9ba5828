// When does it pay to compress a message? When it is large enough, and the last ones shrank to half: batches of text do, batches
// of pictures do not. Deflate at its fastest level, on a thread of the pool. It takes two fifths of the time in which a replica
// takes over all keys, so what saves less is sent as it is.

import { promisify } from 'node:util';
import { constants, deflate, inflate } from 'node:zlib';
import { MalformedBytesError } from '../../codec/binary-reader.js';

const deflateAsync = promisify(deflate);
const inflateAsync = promisify(inflate);

/**
 * What a busy replica pushes is smaller. To begin a stream of zlib takes the time in which that much is deflated, and a network
 * between replicas has room for what their disks can take; what takes over keys is larger, and is all that counts after a cut.
 */
const SIZE_MIN_BYTES = 64 * 1024;

/** Worth both sides' work from here on. */
const RATIO_MAX = 0.5;

/** After a message that did not shrink, so many are sent as they are before the next try. */
const SKIPPED_AFTER_MISS = 32;

export interface Packed {
  readonly body: Buffer;
  /** The value of `Content-Encoding`; undefined when sent as it is. */
  readonly encoding: 'deflate' | undefined;
}

/** Remembers whether it paid; one for each peer. */
export class Compressor {
  private skip = 0;

  async pack(bytes: Buffer): Promise<Packed> {
    if (bytes.length < SIZE_MIN_BYTES || this.skip-- > 0) return { body: bytes, encoding: undefined };
    const packed = await deflateAsync(bytes, { level: constants.Z_BEST_SPEED });
    if (packed.length <= bytes.length * RATIO_MAX) return { body: packed, encoding: 'deflate' };
    this.skip = SKIPPED_AFTER_MISS;
    return { body: bytes, encoding: undefined };
  }
}

/** @throws MalformedBytesError when the bytes are not deflated, or grow past `bytesMax` */
export async function unpack(bytes: Buffer, bytesMax: number): Promise<Buffer> {
  try {
    return await inflateAsync(bytes, { maxOutputLength: bytesMax });
  } catch (error) {
    throw new MalformedBytesError(`the message cannot be inflated: ${(error as Error).message}`, { cause: error });
  }
}
