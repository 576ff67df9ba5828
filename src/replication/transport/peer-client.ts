// How does a message travel that a busy replica sends hundreds of times a second? Over connections that are kept, with no header
// that nobody reads, at two fifths of the processor time that Node's client takes. By that one where there is TLS, or something that
// answers otherwise than replicas do.

import { NodeClient } from './node-client.js';
import type { PeerPost, PeerResponse } from './peer-post.js';
import { NotPlainError, PlainClient } from './plain-client.js';

export class PeerClient {
  /** By address; undefined: messages to it go by Node's client. */
  private readonly plain = new Map<string, PlainClient | undefined>();
  private readonly node: NodeClient;

  /** @param answerBytesMax of the body of an answer: a larger one is a failure */
  constructor(private readonly answerBytesMax: number) {
    this.node = new NodeClient(answerBytesMax);
  }

  /** @throws Error without an answer in time; whether the peer got the message is not known then */
  async post(message: PeerPost): Promise<PeerResponse> {
    const plain = this.plainClient(message.url);
    if (plain === undefined) return this.node.post(message);
    const startedAt = performance.now();
    try {
      return await plain.post(message);
    } catch (error) {
      if (!(error instanceof NotPlainError)) throw error;
      // No replica answers so: what stands between will do it again, and to say a message twice does no harm.
      this.plain.set(message.url, undefined);
      plain.close();
      return this.node.post(message, performance.now() - startedAt);
    }
  }

  private plainClient(url: string): PlainClient | undefined {
    if (!this.plain.has(url)) {
      const parsed = new URL(url);
      const isPlain = parsed.protocol === 'http:' && parsed.username === '';
      this.plain.set(url, isPlain ? new PlainClient(parsed, this.answerBytesMax) : undefined);
    }
    return this.plain.get(url);
  }
}
