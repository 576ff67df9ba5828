// How does a test cut one replica from another, in one direction? It puts this between them: a TCP proxy that passes
// bytes on unchanged, until the link is cut. One proxy stands for one directed link: A's requests to B, with B's answers.

import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { late } from './jitter.js';

export class LinkProxy {
  /** Each socket with the way that its bytes take to the other one. */
  private readonly sockets = new Map<Socket, Writable>();
  private isCut = false;
  private isSilent = false;

  private constructor(
    private readonly server: Server,
    private readonly target: { readonly host: string; port: number },
  ) {
    server.on('connection', (incoming) => this.pass(incoming));
  }

  /** Listens on a free port of the loopback. The target need not be up yet; port 0: `aim` says later where it is. */
  static async listen(targetHost: string, targetPort: number): Promise<LinkProxy> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    return new LinkProxy(server, { host: targetHost, port: targetPort });
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** From the next connection on, passes to another port of the same host: the target has started anew. */
  aim(port: number): void {
    this.target.port = port;
  }

  /** Destroys the connections there are, and every further one as it comes. */
  cut(): void {
    this.isCut = true;
    this.destroyAll();
  }

  /** Bytes wait here from now on, and nobody is told; so do those of new connections. `heal` lets them go on. */
  silence(): void {
    this.isSilent = true;
    for (const [from, way] of this.sockets) from.unpipe(way).pause();
  }

  heal(): void {
    this.isCut = false;
    if (!this.isSilent) return;
    this.isSilent = false;
    for (const [from, way] of this.sockets) from.pipe(way);
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.cut();
    await closed;
  }

  private pass(incoming: Socket): void {
    if (this.isCut || this.target.port === 0) {
      incoming.destroy();
      return;
    }
    const outgoing = connect(this.target);
    this.join(incoming, outgoing);
    this.join(outgoing, incoming);
  }

  /** Whatever comes in at one socket goes out at the other, and the end of one is the end of both. */
  private join(from: Socket, to: Socket): void {
    const way = late(to);
    this.sockets.set(from, way);
    from.setNoDelay(true);
    if (!this.isSilent) from.pipe(way);
    // A connection that breaks is what this is for; `close` follows.
    from.on('error', () => {});
    from.on('close', () => {
      this.sockets.delete(from);
      // What is still on its way ends it.
      if (way === to || !way.writableEnded) to.destroy();
    });
  }

  private destroyAll(): void {
    for (const socket of this.sockets.keys()) socket.destroy();
  }
}
