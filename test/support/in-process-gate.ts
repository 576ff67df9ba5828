// How does a test hold a moment between two replicas? This stands between them, reads the messages that one sends to the
// other, and keeps those that the test names until they are let go. All others pass, with their answers.

import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { PeerRequest } from '../../src/replication/engine/messages.js';
import { unpack } from '../../src/replication/transport/compression.js';
import { decodeRequest } from '../../src/replication/transport/message-codec.js';

const MESSAGE_BYTES_MAX = 16 * 1024 * 1024;

export class MessageGate {
  private isHeld: (message: PeerRequest) => boolean = () => false;
  private readonly waiting = new Set<() => void>();
  private readonly counts = new Map<PeerRequest['kind'], number>();

  private constructor(
    private readonly server: Server,
    private target: number,
  ) {
    server.on('request', (req: IncomingMessage, res: ServerResponse) => {
      // A sender that has gone is not to be answered.
      this.pass(req, res).catch(() => res.destroy());
    });
  }

  static async listen(target: number): Promise<MessageGate> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    return new MessageGate(server, target);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** The receiver has started anew, at another port. */
  aim(target: number): void {
    this.target = target;
  }

  /** From now on, keeps the messages of which this is true. */
  hold(isHeld: (message: PeerRequest) => boolean): void {
    this.isHeld = isHeld;
  }

  /** Lets everything pass: what is kept, and what is still to come. */
  release(): void {
    this.isHeld = () => false;
    for (const go of this.waiting) go();
    this.waiting.clear();
  }

  /** How many messages are being kept. */
  get held(): number {
    return this.waiting.size;
  }

  /** How many messages of a kind have been answered. */
  answered(kind: PeerRequest['kind']): number {
    return this.counts.get(kind) ?? 0;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.release();
    this.server.closeAllConnections();
    await closed;
  }

  private async pass(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    for await (const piece of req) pieces.push(piece as Buffer);
    const body = Buffer.concat(pieces);
    const isDeflated = req.headers['content-encoding'] === 'deflate';
    const { message } = decodeRequest(isDeflated ? await unpack(body, MESSAGE_BYTES_MAX) : body);
    if (this.isHeld(message)) await new Promise<void>((resolve) => this.waiting.add(resolve));
    await this.forward(req, body, res);
    this.counts.set(message.kind, this.answered(message.kind) + 1);
  }

  private forward(req: IncomingMessage, body: Buffer, res: ServerResponse): Promise<void> {
    return new Promise((resolve, reject) => {
      const { method, url, headers } = req;
      const outgoing = request({ host: '127.0.0.1', port: this.target, method, path: url, headers }, (answer) => {
        res.writeHead(answer.statusCode!, answer.headers);
        answer.pipe(res).on('finish', resolve).on('error', reject);
      });
      outgoing.on('error', reject).end(body);
      res.on('close', () => outgoing.destroy());
    });
  }
}
