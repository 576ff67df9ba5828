// Who turns the protocol's values into deeds?
//
// The driver gives the engine what clients, peers and time bring, in steps that share commits; sends what it asks for; and
// reads what it needs for that. Readers see what is committed, and nothing else.

import { fill, type Container } from '../clock/container.js';
import { live } from '../clock/lifetime.js';
import type { Members } from '../clock/membership.js';
import type { OverdueRequest } from '../clock/request.js';
import { descends, EMPTY_VECTOR, join, type VersionVector } from '../clock/version-vector.js';
import type { CommittedView } from '../store/committed-view.js';
import { CorruptRecordError } from '../store/record-codec.js';
import type { ReplicaStore } from '../store/replica-store.js';
import type { Input, WriteInput } from './engine/input.js';
import { InvariantError } from './engine/invariant.js';
import type { Standing } from './engine/members.js';
import type { PeerAnswer, PeerRequest } from './engine/messages.js';
import type { ForgetResult, ReadResult, WriteResult } from './engine/output.js';
import type { Progress } from './engine/progress.js';
import type { Replica } from './engine/replica.js';
import type { Peer } from './engine/state.js';
import { runBatch, type BatchOperation, type BatchOutcome, type BatchShell, type Keep } from './batches.js';
import { CommitLoop } from './commit-loop.js';
import { DamageWatch } from './damage-watch.js';
import { ForgottenError, ReplicaStoppedError } from './errors.js';
import { Exchanges } from './exchanges.js';
import type { Group } from './group.js';
import { handedOver, onlyHere } from './hand-over.js';
import { checkTakes } from './intake.js';
import { Introduction } from './introduction.js';
import { MESSAGE_LIMITS, MessageReader, type MessageLimits } from './message-reader.js';
import type { Outside } from './outside.js';
import type { ReadRequest, WriteRequest, Shown } from './requests.js';
import { PiecesAhead } from './pieces-ahead.js';
import { SessionWaiters } from './session-waiters.js';
import type { Cancel } from './time.port.js';
import { WaitingRequests } from './waiting-requests.js';

/** How often clocks are compared: what a cut-off replica missed begins to flow this soon after it is back. */
export const TICK_MS = 500;

export class ReplicaDriver {
  private readonly loop: CommitLoop;
  /** Who waits for `view` to move on. */
  readonly sessions: SessionWaiters;
  private readonly reader: MessageReader;
  private readonly exchanges: Exchanges;
  private readonly pieces: PiecesAhead;
  private readonly waiting: WaitingRequests;
  private cancelTick: Cancel = () => {};
  private readonly introduction = new Introduction();
  private isDraining = false;
  private isDrained = false;
  readonly commitUnderWay = (): number | undefined => this.loop.commitUnderWay;

  private readonly batchShell: BatchShell = {
    nextId: () => this.loop.nextId(),
    nowMs: () => this.outside.time.nowMs(),
    reply: (id, input) => this.loop.reply(id, input),
    settled: () => this.loop.settled(),
    request: (id, input) => this.loop.request(id, input),
    container: (key) => this.loop.steps.container(key),
    within: (timeoutMs, id, answered) => this.waiting.within(timeoutMs, id, answered),
  };

  constructor(
    private readonly replica: Replica,
    private readonly store: ReplicaStore,
    private readonly outside: Outside,
    limits: MessageLimits = MESSAGE_LIMITS,
  ) {
    this.loop = new CommitLoop(replica, store, outside.time, {
      committed: () => this.sessions.advance(store.view.clock),
      released: (group) => this.released(group),
      stopped: (error) => this.stopped(error),
    });
    this.reader = new MessageReader(limits);
    this.exchanges = new Exchanges(this.reader, {
      ...outside,
      withView: (use) => this.withView(use),
      take: (input) => this.take(input),
      areAcksAwaited: () => replica.areAcksAwaited,
      peerFailed: (peer, error) => outside.events.peerFailed(peer, error),
    });
    this.pieces = new PiecesAhead(outside.time, (after) => this.withView((view) => this.reader.piece(view, after)));
    new DamageWatch(store, {
      damaged: replica.damaged,
      container: (key) => this.loop.steps.container(key),
      isBeingWritten: (key) => this.loop.steps.isBeingWritten(key),
      take: (input) => this.take(input),
      observed: (observation) => outside.events.observed(observation),
    });
    this.sessions = new SessionWaiters(outside.time);
    this.waiting = new WaitingRequests(outside.time, (id) => this.loop.runUnasked({ kind: 'give-up', id }));
    this.checkIntroduced();
  }

  /** Begins to compare clocks with the peers, at once and then twice a second. */
  start(): void {
    this.cancelTick = this.outside.time.after(TICK_MS, () => this.start());
    this.loop.runUnasked({ kind: 'tick' });
  }

  /**
   * The replica will stop: reads that wait for what a session has seen are refused, and requests that wait for peers get
   * a moment more, then are answered with what they have. Everything else goes on.
   */
  leave(): void {
    this.introduction.abandon(new ReplicaStoppedError('the replica stops; nothing was written'));
    this.sessions.abandon();
    this.waiting.leave();
  }

  /**
   * Peers that are there get what was written here and they lack, for a bounded time. Then nothing more is sent, and
   * everything taken is committed and answered. @returns how many own writes may be on this disk only
   */
  async drain(): Promise<number> {
    this.leave();
    if (this.loop.failure === undefined) await handedOver(this.replica, this.outside.time);
    this.isDraining = true;
    this.cancelTick();
    await Promise.all([this.exchanges.drained(), this.pieces.end()]);
    this.waiting.end();
    await this.loop.quiet();
    this.isDrained = true;
    return onlyHere(this.replica);
  }

  /** The committed state that readers see now. */
  get view(): CommittedView {
    return this.store.view;
  }

  get actor(): string {
    return this.replica.actor;
  }

  get peers(): readonly Readonly<Peer>[] {
    return this.replica.peers;
  }

  /** By name, forgotten ones too. */
  get members(): Members {
    return this.replica.members;
  }

  get standing(): Standing {
    return this.replica.standing;
  }

  get progress(): Progress {
    const { progress } = this.replica;
    return { ...progress, isIntroduced: this.introduction.isOver && progress.isIntroduced };
  }

  /** Replicas that know the same differ in these keys. */
  suspect(keys: readonly string[]): void {
    if (keys.length > 0) this.take({ kind: 'suspected', keys });
  }

  /** By this time, deadlines of the key may have passed. */
  expire(key: string, wallMs: number): void {
    try {
      this.take({ kind: 'expire', key, wallMs });
    } catch (error) {
      // It is fetched from the peers, and what has ended is dropped then.
      if (!(error instanceof CorruptRecordError)) throw error;
    }
  }

  /** This replica's own clock: what it hides and drops is decided by it. */
  get nowMs(): number {
    return this.outside.time.nowMs();
  }

  /** The time for which these requests were to be remembered is over: they are forgotten, unless they have come anew. */
  forgetRequests(places: readonly OverdueRequest[]): void {
    if (places.length > 0) this.take({ kind: 'forget-requests', places });
  }

  /** Why the replica has stopped; undefined while it runs. */
  get failure(): unknown {
    return this.loop.failure;
  }

  /**
   * The committed container of a key, filled with the clock of its commit, without what has passed its deadline.
   * @throws CorruptRecordError
   */
  read(key: string, stored = this.store.container(key)): Container {
    return live(fill(stored, this.store.view.knownOf(key)), this.nowMs);
  }

  /** As `read`, where that need not look in the database; undefined: it must. */
  readCached(key: string): Container | undefined {
    const stored = this.store.cached(key);
    return stored && this.read(key, stored);
  }

  /** What a client has seen that was shown this: its session goes on from there. A committed answer is told of. */
  seen({ context, past = EMPTY_VECTOR }: Shown): VersionVector {
    return join(this.store.view.seen(context), past);
  }

  /** Resolves when the write is committed here and acknowledged as asked, or `timeoutMs` later with what it has. */
  async write(request: WriteRequest): Promise<WriteResult> {
    if (!this.introduction.isOver) await this.introduction.wait();
    this.checkMember();
    const id = this.loop.nextId();
    const { key, operation, context, precondition, acksNeeded, requestName, timeoutMs } = request;
    const input: WriteInput = {
      kind: 'write',
      id,
      key,
      operation,
      context,
      precondition,
      acksNeeded,
      requestName,
      wallMs: this.nowMs,
    };
    const answered = this.loop.request(id, input);
    const reply = await (acksNeeded <= 1 ? answered : this.waiting.within(timeoutMs, id, answered));
    if (reply.kind !== 'write') throw new TypeError(`a write was answered as ${reply.kind}`);
    return reply.result;
  }

  /** What so many replicas know of a key, this one included, merged, and those that lacked something repaired. */
  async readQuorum(request: ReadRequest): Promise<ReadResult> {
    const id = this.loop.nextId();
    const answered = this.loop.request(id, { kind: 'read', id, ...request });
    const reply = await this.waiting.within(request.timeoutMs, id, answered);
    this.exchanges.leaveRead(id);
    if (reply.kind !== 'read') throw new TypeError(`a read was answered as ${reply.kind}`);
    const { result } = reply;
    return result.kind === 'read' ? { ...result, container: live(result.container, this.nowMs) } : result;
  }

  /** Many operations in one commit: each is answered when all are on disk, and acknowledged as asked. */
  async batch<T>(
    operations: readonly BatchOperation[],
    acks: { readonly acksNeeded: number; readonly timeoutMs: number },
    keep: Keep<T>,
  ): Promise<BatchOutcome<T>> {
    if (operations.some(({ kind }) => kind === 'write')) {
      if (!this.introduction.isOver) await this.introduction.wait();
      this.checkMember();
    }
    return runBatch(this.batchShell, operations, acks, keep);
  }

  /** A name service lists these members. */
  found(members: Members): void {
    this.loop.runUnasked({ kind: 'found', members });
  }

  /** Removes a member from the cluster: the others hear of it, and it takes no writes any more. */
  async forget(name: string): Promise<ForgetResult> {
    const id = this.loop.nextId();
    const reply = await this.loop.request(id, { kind: 'forget', id, name });
    if (reply.kind !== 'forget') throw new TypeError(`a removal was answered as ${reply.kind}`);
    return reply.result;
  }

  /** Answers a peer's request, once what it brought is committed. */
  async receive(from: string, request: PeerRequest): Promise<PeerAnswer> {
    checkTakes(this.outside.room, request);
    const id = this.loop.nextId();
    const reply = await this.loop.request(id, { kind: 'peer-request', id, from, request, wallMs: this.nowMs });
    if (reply.kind === 'piece') return { kind: 'piece', piece: await this.pieces.take(from, reply.after) };
    return this.withView((view) => this.reader.answer(view, reply));
  }

  /** Whether the committed clock covers `session`, within `timeoutMs`. */
  async covers(session: VersionVector, timeoutMs: number): Promise<boolean> {
    if (descends(this.store.view.clock, session)) return true;
    return this.sessions.wait(session, timeoutMs);
  }

  private checkMember(): void {
    if (this.standing === 'forgotten') throw new ForgottenError(this.actor);
  }

  /** What a peer answered, or that it did not. */
  private take(input: Input): void {
    // Too late: the store may be closing. The peer has the answer's state, and tells it again at the next start.
    if (!this.isDrained && this.loop.failure === undefined) this.loop.runUnasked(input);
  }

  private async withView<T>(use: (view: CommittedView) => Promise<T>): Promise<T> {
    const view = this.store.view.retain();
    try {
      return await use(view);
    } catch (error) {
      if (error instanceof InvariantError) this.loop.stop(error);
      throw error;
    } finally {
      view.release();
    }
  }

  private released({ sends, observations }: Pick<Group, 'sends' | 'observations'>): void {
    if (!this.isDraining) for (const send of sends) this.exchanges.begin(send);
    this.checkIntroduced();
    for (const observation of observations) this.outside.events.observed(observation);
  }

  private stopped(error: ReplicaStoppedError): void {
    this.cancelTick();
    this.introduction.abandon(error);
    this.sessions.abandon();
    this.outside.events.stopped(error.cause);
  }

  /** With nothing uncommitted: a new incarnation is on disk before a write is taken. */
  private checkIntroduced(): void {
    if (!this.introduction.isOver && this.replica.progress.isIntroduced) this.introduction.end();
  }
}
