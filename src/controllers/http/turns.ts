// When is a request of a connection carried out? When all before it have been answered (RFC 9112, section 9.3.2): side by
// side, a DELETE would overtake the PUT that it was sent behind, and a few kilobytes of requests would have gigabytes of answers
// made. What waits is only the heads that came together, and a body as far as it is read with them: nothing more is taken
// meanwhile. When the connection ends, what waits is dropped, and nothing of it is done.

import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** With so many that wait nothing more is taken. With few it is: or nothing would tell that the client has left. */
const WAITING_MAX = 8;

/** A response that stands behind others on its connection. */
export interface Waiting {
  /** Called when those are complete. */
  onTurn: ((socket: Socket) => void) | undefined;
  /** Node's own count of the bytes that stand behind others; beyond a limit it takes nothing more of the connection. */
  readonly _onPendingData?: (bytes: number) => void;
}

export class Turns {
  /** Connections of which nothing was taken when a request had no more time to arrive. Node looks after that one no more. */
  private readonly excused = new WeakSet<object>();

  constructor(
    private readonly carryOut: RequestListener,
    private readonly requestTimeoutMs: number,
    /** The rest of a request has not come. */
    private readonly timedOut: (socket: Socket) => void,
  ) {}

  readonly take = (req: IncomingMessage, res: ServerResponse & Partial<Waiting>): void => {
    // Node gives the connection to one response after the other.
    if (res.socket !== null) return this.begin(req, res);
    const bytes = Math.ceil(req.socket.writableHighWaterMark / WAITING_MAX) + 1;
    res._onPendingData?.(bytes);
    res.onTurn = (socket) => {
      if (socket.destroyed) return;
      res._onPendingData?.(-bytes);
      this.begin(req, res);
    };
  };

  /**
   * @param socket whose request has not arrived in time
   * @returns whether that is no fault of its client: nothing was taken of what it sent. It gets time anew with its turn.
   */
  excuse(socket: object): boolean {
    const isExcused = (socket as Partial<Socket>).isPaused?.() === true;
    if (isExcused) this.excused.add(socket);
    return isExcused;
  }

  private begin(req: IncomingMessage, res: ServerResponse): void {
    if (!req.complete && this.excused.delete(req.socket)) this.watch(req);
    this.carryOut(req, res);
  }

  private watch(req: IncomingMessage): void {
    const look = (): void => {
      if (!req.complete && !req.socket.destroyed) this.timedOut(req.socket);
    };
    setTimeout(look, this.requestTimeoutMs).unref();
  }
}
