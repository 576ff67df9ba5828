// How does a request to a peer go? What it carries is read from the committed state of the moment, it is sent, and its
// answer comes back as an input of the engine; whatever goes wrong on the way is one too.

import type { CommittedView } from '../store/committed-view.js';
import { CorruptRecordError } from '../store/record-codec.js';
import { StoreReadError } from '../store/errors.js';
import type { Input, RequestId } from './engine/input.js';
import type { PeerAnswer } from './engine/messages.js';
import type { Send } from './engine/output.js';
import { NearlyFullError } from './errors.js';
import { checkAsks } from './intake.js';
import type { MessageReader } from './message-reader.js';
import { LeftLaneError, PeerLanes } from './peer-lanes.js';
import { PiecesToCome } from './pieces-to-come.js';
import type { Room } from './room.port.js';
import type { Time } from './time.port.js';
import { PeerFailure, type PeerTransport } from './transport.port.js';

/** How long a stopping replica waits for answers of its peers: a silent one must not hold it up. */
export const DRAIN_TIMEOUT_MS = 2000;

/**
 * Own writes go to a peer at most this often, unless somebody waits until it has them: a message costs what many writes in it
 * do, and those of a busy moment share one. After a quiet moment a write goes at once.
 */
const PUSH_EVERY_MS = 8;

/** Messages to a peer for clients' reads: as many as keep one busy that is milliseconds away. All others have no such number. */
export const READS_MAX = 64;

/** Each goes to a peer that has answered a read just before. */
export const REPAIRS_MAX = 16;

/**
 * As long as a comparison has: then the peer is not there. A message that is given up sooner takes its connection with it, and the
 * system keeps the port of that for a minute: readers with little patience would use all of them up.
 */
const READ_TIMEOUT_MS_MIN = 2000;

export interface ExchangeShell {
  readonly transport: PeerTransport;
  readonly time: Time;
  readonly room: Room;
  /** Uses the view that is committed at this moment, for as long as it takes. */
  withView<T>(use: (view: CommittedView) => Promise<T>): Promise<T>;
  /** @throws CorruptRecordError when what came meets a record that can't be read */
  take(input: Input): void;
  /** Whether somebody waits until others have a write. */
  areAcksAwaited(): boolean;
  peerFailed(peer: string, error: unknown): void;
}

export class Exchanges {
  /** A number, not a set of them: what comes and goes in a set has the same cost as in the map of `Unsent`. */
  private underWay = 0;
  private onIdle: () => void = () => {};
  /** By peer, when the next push may go. */
  private readonly turns = new Map<string, Promise<void>>();
  private readonly lanes = { read: new PeerLanes(READS_MAX), repair: new PeerLanes(REPAIRS_MAX) };
  private readonly piecesToCome = new PiecesToCome((to, request) => this.shell.transport.send(to, request));

  constructor(
    private readonly reader: MessageReader,
    private readonly shell: ExchangeShell,
  ) {}

  begin(send: Send): void {
    this.underWay++;
    void this.exchange(send).finally(() => {
      if (--this.underWay === 0) this.onIdle();
    });
  }

  /** Nobody waits for the read any more: what has not been sent for it never is. */
  leaveRead(id: RequestId): void {
    this.lanes.read.leave(id);
  }

  /** Resolves when all have ended, or after a while. To be called once, when no more are begun. */
  drained(): Promise<void> {
    if (this.underWay === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.shell.time.after(DRAIN_TIMEOUT_MS, resolve);
      this.onIdle = () => {
        cancel();
        resolve();
      };
    });
  }

  private async exchange(send: Send): Promise<void> {
    const { shell } = this;
    let input: Input;
    try {
      input = await this.answered(send, await this.answerTo(send));
    } catch (error) {
      if (error instanceof LeftLaneError) return;
      shell.peerFailed(send.to, error);
      if (send.kind === 'pull-keys') this.piecesToCome.letGo();
      // What can't be read here, or has no room, says nothing of the peer.
      const isOwnDisk = [CorruptRecordError, StoreReadError, NearlyFullError].some((kind) => error instanceof kind);
      const wasAnswered = isOwnDisk || (error instanceof PeerFailure && error.wasAnswered);
      input = { kind: 'peer-failure', ...about(send), wasAnswered };
    }
    try {
      shell.take(input);
    } catch (error) {
      // It touches a record that can't be read: as if it had not come.
      shell.peerFailed(send.to, error);
      shell.take({ kind: 'peer-failure', ...about(send), wasAnswered: true });
    }
  }

  private async answerTo(send: Send): Promise<PeerAnswer> {
    checkAsks(this.shell.room, send);
    const toCome = send.kind === 'pull-keys' ? this.piecesToCome.take(send.to, send.after) : undefined;
    if (toCome !== undefined) return toCome;
    if (send.kind === 'push') await this.turn(send.to);
    if (send.kind === 'read') {
      const timeoutMs = Math.max(send.timeoutMs, READ_TIMEOUT_MS_MIN);
      return this.lanes.read.send(send.to, send.id, () => this.request(send, timeoutMs));
    }
    if (send.kind === 'repair') return this.lanes.repair.send(send.to, send, () => this.request(send));
    return this.request(send);
  }

  private async request(send: Send, timeoutMs?: number): Promise<PeerAnswer> {
    const request = await this.shell.withView((view) => this.reader.request(view, send));
    return this.shell.transport.send(send.to, request, timeoutMs);
  }

  private async turn(peer: string): Promise<void> {
    if (!this.shell.areAcksAwaited()) await this.turns.get(peer);
    const next = new Promise<void>((resolve) => this.shell.time.after(PUSH_EVERY_MS, resolve));
    this.turns.set(peer, next);
  }

  /** A piece is merged with all local keys of its span, so they are looked up, as of after the request. */
  private async answered(send: Send, answer: PeerAnswer): Promise<Input> {
    const { shell } = this;
    const input = { kind: 'peer-answer', ...about(send), wallMs: shell.time.nowMs() } as const;
    if (send.kind !== 'pull-keys' || answer.kind !== 'piece') {
      // Spread last, as in the handler of writes: each answer would get a hidden class of its own in Node 20.
      return { answer, ...input };
    }
    this.piecesToCome.follow(send.to, answer.piece);
    const local = await shell.withView((view) => this.reader.local(view, answer.piece.span));
    return { ...input, answer, local: { ...local, attempt: send.attempt } };
  }
}

/** What the engine needs to know of the request again. */
function about(send: Send) {
  const request = { from: send.to, to: send.kind };
  return send.kind === 'read' ? { ...request, readId: send.id } : request;
}
