// How does a connection live whose client sends plain requests only? One request after the other is answered right from what
// the socket gives, in step with those of other connections. With the first bytes that are not a plain request it goes over to
// Node's HTTP server, for good: all that is subtle about HTTP stays there.

import type { Socket } from 'node:net';
import { takenOf } from '../node-connection.js';
import { afterRunning } from '../patience.js';
import type { Unsent } from '../unsent.js';
import { PlainReader, PlainRequest } from './plain-request.js';
import { PlainResponse, type AnswerSink } from './plain-response.js';

/** What a server does with its plain connections. */
export interface PlainOwner {
  /** Calls `goOn` of the connection, soon, with all others that something has come from. */
  readonly arrived: (connection: PlainConnection) => void;
  /** Calls `writeOut` of the connection, with all others that have an answer. */
  readonly answered: (connection: PlainConnection) => void;
  /** Answers, or leaves it: false. */
  readonly take: (req: PlainRequest, res: PlainResponse) => boolean;
  /** The connection is for Node's server now, from `bytes` on. */
  readonly handOver: (connection: PlainConnection, bytes: Buffer | undefined) => void;
  /** The client ended its side within a request. */
  readonly onUnfinished: (socket: Socket) => void;
  readonly onClosed: (connection: PlainConnection) => void;
  /** Headers of an answer, each with its line's end. */
  readonly keepAlive: string;
  /** A client that takes nothing of an answer for this long is cut off. */
  readonly stalledMsMax: number;
  readonly onAnswered: (req: PlainRequest, status: number, ms: number) => void;
  /** Knows the answers that are not taken at once. */
  readonly unsent: Unsent;
  /** Whether every connection shall go over with its next request. */
  readonly isLeaving: boolean;
}

/** A request that comes in pieces may have so many bytes here, and those of the last piece. */
const PIECES_BYTES_MAX = 65_536;

interface GivenAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: Buffer | undefined;
}

export class PlainConnection implements AnswerSink {
  private readonly reader = new PlainReader();
  private readonly held: Buffer[] = [];
  private heldBytes = 0;
  /** So many bytes must be there before there is anything to do. */
  private needed = 0;
  /** The one that is being answered, until the system has taken the answer. */
  private request: PlainRequest | undefined;
  private askedAt = 0;
  private answer: GivenAnswer | undefined;
  /** Whether what has come waits for what comes to others in this turn. */
  private isInCohort = false;
  private isEnded = false;
  private hasAnswered = false;
  private looks = 0;
  private stopWaiting: (() => void) | undefined;

  constructor(
    readonly socket: Socket,
    private readonly owner: PlainOwner,
  ) {
    socket.on('data', this.onData);
    socket.on('end', this.onEnd);
    socket.on('error', this.onError);
    socket.on('close', this.onClose);
  }

  get keepAlive(): string {
    return this.owner.keepAlive;
  }

  /** Whether it has had all its answers. One that is new is not: its first request may be on its way. */
  get isDone(): boolean {
    return this.isIdle && this.hasAnswered;
  }

  /**
   * Called at regular times.
   * @param idleMax the looks after which a connection that has had its answers is ended
   */
  look(idleMax: number): void {
    if (this.isBusy || this.isInCohort) return;
    this.looks++;
    if (this.isDone) {
      if (this.looks > idleMax) this.socket.destroy();
    } else if (this.looks > 1) this.handOver();
  }

  send(status: number, head: string, body?: Buffer): void {
    if (this.request === undefined || this.answer !== undefined) throw new TypeError('the request has its answer');
    this.answer = { status, head, body };
    this.owner.answered(this);
  }

  /** Its answer goes to the system. */
  writeOut(): void {
    const { socket } = this;
    const { status, head, body } = this.answer!;
    this.answer = undefined;
    this.owner.onAnswered(this.request!, status, performance.now() - this.askedAt);
    // What came behind this request is for nobody then.
    if (socket.destroyed) return;
    if (body === undefined) socket.write(head, 'latin1');
    else {
      socket.cork();
      socket.write(head, 'latin1');
      socket.write(body);
      socket.uncork();
    }
    this.hasAnswered = true;
    if (!socket.writableNeedDrain) return this.readOn();
    const { stalledMsMax, unsent } = this.owner;
    // A client that takes nothing of it would have it kept for ever.
    this.stopWaiting = afterRunning(
      stalledMsMax,
      () => this.cut(),
      () => takenOf(socket),
    );
    socket.pause().once('drain', unsent.hold(socket, socket.writableLength)).once('drain', this.onDrain);
  }

  cut(): void {
    this.socket.destroy();
  }

  private readonly onData = (chunk: Buffer): void => {
    // A request has its time from its first byte on, however many follow one by one.
    if (this.isIdle) this.looks = 0;
    this.held.push(chunk);
    this.heldBytes += chunk.length;
    if (this.isBusy || this.isInTooLargePieces) this.socket.pause();
    if (!this.isBusy && !this.isInCohort && this.heldBytes >= this.needed) this.joinCohort();
  };

  /** The client will send nothing more. It may still wait for its answer. */
  private readonly onEnd = (): void => {
    this.isEnded = true;
    if (!this.isBusy && !this.isInCohort) this.end();
  };

  /** The end of the connection follows. */
  private readonly onError = (): void => {};

  private readonly onClose = (): void => {
    this.stopWaiting?.();
    this.owner.onClosed(this);
  };

  private readonly onDrain = (): void => {
    this.stopWaiting?.();
    this.readOn();
  };

  private readOn(): void {
    const { socket } = this;
    this.request = undefined;
    this.looks = 0;
    // What has come behind is taken alone: nothing is read until then.
    if (this.heldBytes > 0) return this.joinCohort();
    if (socket.isPaused()) socket.resume();
    if (this.isEnded) socket.end();
  }

  private joinCohort(): void {
    this.isInCohort = true;
    this.askedAt = performance.now();
    this.owner.arrived(this);
  }

  private end(): void {
    if (this.heldBytes > 0) this.owner.onUnfinished(this.socket);
    else this.socket.end();
  }

  private get isBusy(): boolean {
    return this.request !== undefined;
  }

  private get isInTooLargePieces(): boolean {
    return this.held.length > 1 && this.heldBytes > PIECES_BYTES_MAX;
  }

  private get isIdle(): boolean {
    return !this.isBusy && this.heldBytes === 0;
  }

  /** With what has come. */
  goOn(): void {
    this.isInCohort = false;
    // Of a client that has left nothing is done.
    if (this.socket.destroyed) return;
    if (this.socket.isPaused()) this.socket.resume();
    // A client that sends nothing more need not be told that this answer is the last one.
    if ((this.owner.isLeaving && !this.isEnded) || this.isInTooLargePieces) return this.handOver();
    const bytes = this.held.length === 1 ? this.held[0]! : Buffer.concat(this.held);
    const request = this.reader.read(bytes);
    if (request instanceof PlainRequest) this.take(request, bytes);
    else if (request === undefined || request.bytes > PIECES_BYTES_MAX) this.handOver();
    else {
      this.hold(bytes, request.bytes);
      if (this.isEnded) this.end();
    }
  }

  private take(request: PlainRequest, bytes: Buffer): void {
    this.hold();
    this.request = request;
    if (this.owner.take(request, new PlainResponse(this, request.method !== 'HEAD'))) return;
    this.request = undefined;
    this.hold(bytes);
    this.handOver();
  }

  /** Waits with `bytes` until there are `needed`. */
  private hold(bytes?: Buffer, needed = 0): void {
    this.held.length = 0;
    if (bytes !== undefined) this.held.push(bytes);
    this.heldBytes = bytes?.length ?? 0;
    this.needed = needed;
  }

  private handOver(): void {
    const { socket } = this;
    // Node would drop its answers; an end without one says that nobody knows.
    if (this.isEnded) return void socket.end();
    socket.off('data', this.onData).off('end', this.onEnd).off('error', this.onError).off('close', this.onClose);
    if (socket.isPaused()) socket.resume();
    this.owner.handOver(this, this.heldBytes > 0 ? Buffer.concat(this.held) : undefined);
  }
}
