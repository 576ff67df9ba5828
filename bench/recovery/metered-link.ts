// How much do replicas say to each other? A proxy between two of them counts every byte that it passes on, both ways, and
// of those the ones that are bodies of HTTP messages. It can be cut, too. One proxy stands for one directed link: A's
// requests to B, with B's answers.

import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { BodyMeter } from './body-meter.js';

export interface Traffic {
  /** All that TCP carries: heads and bodies. Headers of TCP and IP are not in it. */
  readonly bytes: number;
  readonly bodyBytes: number;
  /** Requests and answers. */
  readonly messages: number;
}

export const NO_TRAFFIC: Traffic = { bytes: 0, bodyBytes: 0, messages: 0 };

export function plus(left: Traffic, right: Traffic): Traffic {
  return {
    bytes: left.bytes + right.bytes,
    bodyBytes: left.bodyBytes + right.bodyBytes,
    messages: left.messages + right.messages,
  };
}

export function minus(left: Traffic, right: Traffic): Traffic {
  return {
    bytes: left.bytes - right.bytes,
    bodyBytes: left.bodyBytes - right.bodyBytes,
    messages: left.messages - right.messages,
  };
}

export class MeteredLink {
  private readonly sockets = new Set<Socket>();
  private isCut = false;
  private passed = NO_TRAFFIC;
  private firstBytes: (() => void) | undefined;

  private constructor(
    private readonly server: Server,
    private readonly targetPort: number,
  ) {
    server.on('connection', (incoming) => this.pass(incoming));
  }

  /** Listens on a free port of the loopback. The target need not be up yet. */
  static async listen(targetPort: number): Promise<MeteredLink> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    return new MeteredLink(server, targetPort);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Everything so far, both directions. */
  get traffic(): Traffic {
    return this.passed;
  }

  /** Calls back once, when the next bytes come *from the target*: it is there, and answers. */
  onNextAnswer(callback: () => void): void {
    this.firstBytes = callback;
  }

  /** Destroys the connections there are, and every further one as it comes. */
  cut(): void {
    this.isCut = true;
    for (const socket of this.sockets) socket.destroy();
  }

  heal(): void {
    this.isCut = false;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.cut();
    await closed;
  }

  private pass(incoming: Socket): void {
    if (this.isCut) {
      incoming.destroy();
      return;
    }
    const outgoing = connect(this.targetPort, '127.0.0.1');
    this.join(incoming, outgoing);
    this.join(outgoing, incoming);
    outgoing.once('data', () => {
      this.firstBytes?.();
      this.firstBytes = undefined;
    });
  }

  private join(from: Socket, to: Socket): void {
    const meter = new BodyMeter();
    this.sockets.add(from);
    from.setNoDelay(true);
    from.on('data', (piece: Buffer) => {
      this.passed = plus(this.passed, { bytes: piece.length, ...meter.take(piece) });
    });
    from.pipe(to);
    // A connection that breaks is what a cut is; `close` follows.
    from.on('error', () => {});
    from.on('close', () => {
      this.sockets.delete(from);
      to.destroy();
    });
  }
}
