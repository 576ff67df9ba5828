// When is a request of a connection carried out? When all before it have been answered (RFC 9112, section 9.3.2): side by
// side, a DELETE would overtake the PUT that it was sent behind, and a few kilobytes of requests would have gigabytes of answers
// made. What waits is only the heads that came together, and a body as far as it is read with them: nothing more is taken
// meanwhile. When the connection ends, what waits is dropped, and nothing of it is done.

import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { arrivingOf, responseOf } from './node-connection.js';

/** With so many that wait nothing more is taken. With few it is: or nothing would tell that the client has left. */
const WAITING_MAX = 8;

/** A response that stands behind others on its connection. */
export interface Waiting {
  /** Called when those are complete. */
  onTurn: ((socket: Socket) => void) | undefined;
  /** Node's own count of the bytes that stand behind others; beyond a limit it takes nothing more of the connection. */
  readonly _onPendingData?: (bytes: number) => void;
}

export interface TurnsOptions {
  /** The time of a request to arrive in. */
  readonly requestTimeoutMs: number;
  /** How often those are looked at that Node looks after no more. */
  readonly checkEveryMs: number;
}

export class Turns {
  /** How many requests have begun to arrive. */
  private readonly counts = new WeakMap<Duplex, number>();

  constructor(
    private readonly carryOut: RequestListener,
    private readonly options: TurnsOptions,
    /** The rest of a request has not come. */
    private readonly timedOut: (socket: Duplex) => void,
  ) {}

  readonly take = (req: IncomingMessage, res: ServerResponse & Partial<Waiting>): void => {
    this.counts.set(req.socket, this.countOf(req.socket) + 1);
    // Node gives the connection to one response after the other.
    if (res.socket !== null) return this.carryOut(req, res);
    const bytes = Math.ceil(req.socket.writableHighWaterMark / WAITING_MAX) + 1;
    res._onPendingData?.(bytes);
    res.onTurn = (socket) => {
      if (socket.destroyed) return;
      res._onPendingData?.(-bytes);
      this.carryOut(req, res);
    };
  };

  /**
   * @param socket whose request has not arrived in time: Node looks after that one no more
   * @returns whether that is no fault of its client. It gets its time anew, from when it can send the rest.
   */
  excuse(socket: Duplex): boolean {
    if (!isHeld(socket)) return false;
    // The next one when only a part of its head has come.
    this.lookAfter(socket, this.countOf(socket) + (arrivingOf(socket) ? 0 : 1));
    return true;
  }

  /** @param place the request's among those of the connection, from one */
  private lookAfter(socket: Duplex, place: number, leftMs = this.options.requestTimeoutMs): void {
    const { checkEveryMs } = this.options;
    const look = (): void => {
      if (socket.destroyed || this.hasCome(socket, place)) return;
      if (isHeld(socket)) this.lookAfter(socket, place);
      else if (leftMs > 0) this.lookAfter(socket, place, leftMs - checkEveryMs);
      else this.timedOut(socket);
    };
    setTimeout(look, checkEveryMs).unref();
  }

  private hasCome(socket: Duplex, place: number): boolean {
    const count = this.countOf(socket);
    return count > place || (count === place && arrivingOf(socket) === undefined);
  }

  private countOf(socket: Duplex): number {
    return this.counts.get(socket) ?? 0;
  }
}

/** Whether nothing is taken of what the client sends, or it waits for the word to send it, which comes with its turn. */
function isHeld(socket: Duplex): boolean {
  if (socket.isPaused()) return true;
  const [arriving, response] = [arrivingOf(socket), responseOf(socket)];
  return arriving?.headers.expect !== undefined && response !== undefined && response.req !== arriving;
}
