// Who answers `POST /put_remote`? This end of the transport: it reads the message, hands it to the driver and writes the
// answer. It never forwards anything, which is what closes the update loop.

import type { ReplicaDriver } from '../replica-driver.js';
import { Compressor, unpack, type Packed } from './compression.js';
import { MESSAGE_BYTES_MAX } from './http-peer-transport.js';
import { decodeRequest, encodeAnswer } from './message-codec.js';

/** The message is for a replica of another name: the sender's list of members is wrong. */
export class MisdirectedError extends Error {
  readonly code = 'MISDIRECTED';
}

/** More than a cluster has members. */
const COMPRESSORS_MAX = 64;

export class PeerEndpoint {
  /** By sender. */
  private readonly compressors = new Map<string, Compressor>();

  constructor(
    private readonly driver: Pick<ReplicaDriver, 'receive'>,
    private readonly name: string,
  ) {}

  /**
   * @param isDeflated whether the body's `Content-Encoding` says so
   * @throws MalformedBytesError, ProtocolVersionError, MisdirectedError; nothing has happened then
   */
  async answer(body: Buffer, isDeflated: boolean): Promise<Packed> {
    const { from, to, message } = decodeRequest(isDeflated ? await unpack(body, MESSAGE_BYTES_MAX) : body);
    if (to !== '' && to !== this.name) {
      throw new MisdirectedError(`this replica is ${this.name}; ${from} took it for ${to}: check the members`);
    }
    if (from === this.name) {
      throw new MisdirectedError(`two replicas are named ${from}, or one lists its own address under another name`);
    }
    const answer = await this.driver.receive(from, message);
    const bytes = encodeAnswer({ from: this.name, to: from, message: answer });
    return this.compressorFor(from).pack(bytes);
  }

  private compressorFor(from: string): Compressor {
    const compressor = this.compressors.get(from) ?? new Compressor();
    this.compressors.set(from, compressor);
    // Who asks may call itself what it likes.
    if (this.compressors.size > COMPRESSORS_MAX) this.compressors.delete(this.compressors.keys().next().value!);
    return compressor;
  }
}
