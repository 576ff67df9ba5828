// One replica of a simulated cluster: the production store, engine and driver over a simulated disk, network and clock.
//
// A life is one process. When it ends its driver is left as it is: its timers, messages and commits are dropped, nothing
// that it awaits is ever settled, and the next life begins with a new driver from what the disk has.

import type { Input, LocalKeys } from '../../src/replication/engine/input.js';
import type { PeerAnswer, PeerRequest } from '../../src/replication/engine/messages.js';
import type { Observation, Output } from '../../src/replication/engine/output.js';
import { Replica } from '../../src/replication/engine/replica.js';
import type { Identity, LoadedState, Stored } from '../../src/replication/engine/state.js';
import type { DriverEvents } from '../../src/replication/driver-events.js';
import { Expiry } from '../../src/replication/expiry.js';
import { ReplicaDriver } from '../../src/replication/replica-driver.js';
import { Scrubber } from '../../src/replication/scrubber.js';
import type { Time } from '../../src/replication/time.port.js';
import {
  decodeAnswer,
  decodeRequest,
  encodeAnswer,
  encodeRequest,
} from '../../src/replication/transport/message-codec.js';
import { PeerFailure, type PeerTransport } from '../../src/replication/transport.port.js';
import { blankNode, CorruptRecordError } from '../../src/store/record-codec.js';
import { ReplicaStore } from '../../src/store/replica-store.js';
import { checkShown } from './checks.js';
import { Damage } from './damage.js';
import { describeMessage } from './describe.js';
import { Disk } from './disk.js';
import { Mind, type Cargo, type Carried, type Known } from './mind.js';
import { Refusal, type Endpoint } from './network.js';
import { QuorumKnowledge } from './quorum-knowledge.js';
import type { Knowledge, OracleWrite } from './oracle.js';
import { DiskFailure, SimulatedStore, type StoreConditions } from './simulated-store.js';
import { Violation } from './violation.js';
import type { Parcel, World } from './world.js';

/** One life of the process. */
export interface Life {
  isOver: boolean;
  driver: ReplicaDriver | undefined;
  expiry: Expiry | undefined;
  /** Whether it is told to end, and takes nothing new. */
  isStopping: boolean;
  /** Clients that wait for an answer. */
  waiting: number;
}

/** Short: rounds are many. */
const SCRUB_PAUSE_MS = 1000;

/** Any moment will do; far enough from 0 for clocks that go hours wrong. */
const EPOCH_MS = 1_700_000_000_000;

/** Production's replica, with somebody who looks at each of its steps. */
class WatchedReplica extends Replica {
  constructor(
    identity: Identity,
    loaded: LoadedState,
    private readonly begins: (input: Input) => unknown,
    private readonly stepped: (input: Input, output: Output) => unknown,
    private readonly refused: (input: Input) => unknown,
  ) {
    super(identity, loaded);
  }

  override step(input: Input, stored: Stored): Output {
    let output: Output;
    this.begins(input);
    try {
      output = super.step(input, stored);
    } catch (error) {
      this.refused(input);
      throw error;
    }
    this.stepped(input, output);
    return output;
  }
}

export class SimulatedNode implements Endpoint<Parcel> {
  readonly mind: Mind;
  life: Life | undefined;
  /** What a wiped disk of this node had, by key: a write was on it when that was told. */
  readonly buried = new Map<string, bigint>();
  wallOffsetMs = 0;
  /** Whether this node's disk was once put back to an earlier state: peers may know more of it than itself. */
  private isOldCopy = false;
  private disk = new Disk();
  readonly damage: Damage;
  /** The writes of a batch, in order: each is taken when its step begins. */
  readonly coming: (() => void)[] = [];
  /** By batch, those of its writes that are to come to disk as one. */
  private readonly whole: (readonly OracleWrite[])[] = [];
  /** How often this node's disk was lost, or put back. */
  disksLost = 0;
  private readonly quorum: QuorumKnowledge;
  /** The writes of the client's operation that is being taken, and what was known before it. */
  private taking: { readonly writes: readonly OracleWrite[]; readonly before: Knowledge } | undefined;
  private copy: { readonly disk: Disk; readonly known: Known; readonly actor: string } | undefined;
  private incarnations = 0;
  private checked: Known | undefined;
  private checks = 0;
  /** By message, what it brings. */
  private readonly cargo = new WeakMap<PeerRequest | PeerAnswer, Cargo>();

  constructor(
    readonly name: string,
    private readonly world: World,
  ) {
    this.mind = new Mind(name, world.oracle, world.keys);
    this.quorum = new QuorumKnowledge(name, this.mind, world.oracle);
    this.damage = new Damage(name, this.mind, world, () => this.disk);
    world.network.endpoints.set(name, this);
  }

  /** The driver while clients and peers can reach it. */
  get driver(): ReplicaDriver | undefined {
    const { life } = this;
    return life?.isStopping === false && life.driver?.failure === undefined ? life.driver : undefined;
  }

  start(): void {
    const life: Life = { isOver: false, driver: undefined, expiry: undefined, isStopping: false, waiting: 0 };
    this.life = life;
    this.open(life).catch((error: unknown) => this.stopped(life, error));
  }

  /** Ends as an operator would have it: nothing new is taken, and what was taken comes to disk first. */
  async stop(): Promise<void> {
    const { driver, life } = this;
    if (driver === undefined || life === undefined) return;
    life.isStopping = true;
    await driver.drain();
    if (life.isOver || driver.failure !== undefined) return;
    if (!this.mind.isDurable) throw new Violation('durability', `${this.name} has ended before all was on disk`);
    this.crash();
  }

  crash(): void {
    if (this.life === undefined) return;
    this.life.isOver = true;
    this.life = undefined;
    this.checked = undefined;
    this.disk.releaseAll();
    this.damage.mendContexts();
    this.quorum.forget();
    this.whole.length = 0;
    this.mind.crash();
  }

  /** The disk is lost: the next life begins with an empty one, under a new incarnation. */
  wipe(): void {
    this.crash();
    this.disk = new Disk();
    this.disksLost++;
    for (const [key, { known }] of this.mind.durable.keys) this.buried.set(key, (this.buried.get(key) ?? 0n) | known);
    this.mind.wipe();
  }

  /** Somebody copies the disk while the process is down. */
  copyDisk(): void {
    const actor = this.driver?.actor;
    this.crash();
    if (actor !== undefined) this.copy = { disk: this.disk.copy(), known: this.mind.durable, actor };
  }

  /** The actor whose disk has been copied. */
  get copiedActor(): string | undefined {
    return this.copy?.actor;
  }

  /** The copy is put back: what came to disk since is lost, and the node does not know. */
  putBackCopy(): boolean {
    if (this.copy === undefined) return false;
    this.wipe();
    this.disk = this.copy.disk.copy();
    this.mind.restore(this.copy.known);
    this.isOldCopy = true;
    return true;
  }

  /** Whether the node's disk holds or has held the write. */
  hasCommitted(key: string, bit: bigint): boolean {
    const known = (this.mind.durable.keys.get(key)?.known ?? 0n) | (this.buried.get(key) ?? 0n);
    return (known & bit) !== 0n;
  }

  /** A client's operation on a key is given to the driver next. */
  take(key: string, writes: readonly OracleWrite[]): void {
    this.taking = { writes, before: this.mind.working(key) };
    for (const write of writes) this.mind.take(write);
  }

  /** By the node's own clock. */
  get nowMs(): number {
    return EPOCH_MS + this.world.timeline.nowMs + this.wallOffsetMs;
  }

  /** These writes must come to disk with one commit. */
  isWhole(writes: readonly OracleWrite[]): void {
    this.whole.push(writes);
  }

  private submitted(): Carried {
    const carried = this.mind.submitted();
    for (const writes of this.whole.splice(0)) {
      const count = writes.filter((write) => carried.writes.includes(write)).length;
      if (count === 0) this.whole.push(writes);
      else if (count < writes.length) {
        throw new Violation('one commit', `${this.name} commits ${count} of the ${writes.length} writes of a batch`);
      }
    }
    return carried;
  }

  /** Compares what readers see with what the oracle says: all keys after a commit, and one in turn while nothing changes. */
  check(): void {
    const { driver, mind, world } = this;
    if (driver === undefined) return;
    const keys = this.checked === mind.visible ? [world.keys[this.checks++ % world.keys.length]!] : world.keys;
    const trusted = keys.filter((key) => !this.damage.isLost(key));
    checkShown(this.name, driver, mind, trusted, world.oracle, (key) => this.damage.isRotten(key), this.nowMs);
    this.checked = mind.visible;
  }

  /** The keys of all records, as they stand in the store. */
  get diskRecords(): readonly string[] {
    return this.disk.present();
  }

  get openSnapshots(): number {
    return this.disk.snapshots;
  }

  handle(from: string, parcel: Parcel, reply: (answer: Parcel | Refusal) => void): boolean {
    const { driver, life } = this;
    if (driver === undefined || life === undefined) return false;
    const request = parcel.bytes ? decodeRequest(parcel.bytes).message : (parcel.message as PeerRequest);
    if (parcel.cargo !== undefined) this.cargo.set(request, parcel.cargo);
    driver
      .receive(from, request)
      .then(
        (answer) =>
          !life.isOver && reply(this.pack(answer, () => encodeAnswer({ from: this.name, to: from, message: answer }))),
        (error: unknown) => !life.isOver && reply(new Refusal(String(error))),
      )
      .catch((error: unknown) => this.world.fail(error));
    return true;
  }

  private async open(life: Life): Promise<void> {
    const fresh = blankNode(this.nextActor());
    const store = await ReplicaStore.open(new SimulatedStore(this.disk, this.conditionsOf(life)), fresh);
    const { node, claims } = store.view;
    const ahead = await store.aheadContexts();
    const peers = this.world.names.filter((name) => name !== this.name);
    const { logMax, retentionTicks, limits } = this.world.options;
    const identity: Identity = {
      name: this.name,
      nextIncarnation: () => `i${++this.incarnations}`,
      logMax,
      retentionTicks,
      configured: new Map(peers.map((name) => [name, { url: `http://${name}`, version: 0 }])),
      unnamed: [],
      awaitsMembers: false,
      url: `http://${this.name}`,
    };
    const loaded = { ...node, claims, members: store.members, ahead };
    const replica = new WatchedReplica(
      identity,
      loaded,
      (input) => !life.isOver && input.kind === 'write' && this.coming.shift()?.(),
      (input, output) => !life.isOver && this.stepped(input, output),
      (input) => !life.isOver && this.refused(input),
    );
    const outside = {
      transport: this.transportOf(life),
      time: this.timeOf(life),
      events: this.eventsOf(life),
      room: { isNearlyFull: false },
    };
    life.driver = new ReplicaDriver(replica, store, outside, limits);
    life.driver.start();
    const { scrubPerSecond, scrubStepRecords } = this.world.options;
    const observed = (observation: Observation): void => this.observed(observation);
    const pace = { recordsPerSecond: scrubPerSecond, stepRecordsMax: scrubStepRecords, pauseMs: SCRUB_PAUSE_MS };
    new Scrubber(life.driver, store, { ...outside, observed }, pace).start();
    const { lifetimes, deadlineRetentionMs } = this.world.options;
    life.expiry = new Expiry(life.driver, store, outside.time, deadlineRetentionMs);
    if (lifetimes) life.expiry.start();
  }

  private nextActor(): string {
    return `${this.name}.i${++this.incarnations}`;
  }

  private timeOf(life: Life): Time {
    const { timeline } = this.world;
    return {
      nowMs: () => this.nowMs,
      after: (delayMs, action) => timeline.schedule(delayMs, this.name, 'timer', () => !life.isOver && action()),
      soon: (action) => void timeline.schedule(0, this.name, 'turn', () => !life.isOver && action()),
    };
  }

  private transportOf(life: Life): PeerTransport {
    return {
      send: (to, request) =>
        new Promise((resolve, reject) => {
          const parcel = this.packOrFail(request, to);
          if (parcel === undefined) return;
          this.world.network.request({
            from: this.name,
            to,
            kind: request.kind,
            parcel,
            answered: (answer) => {
              if (life.isOver || life.driver?.failure !== undefined) return;
              const message = answer.bytes ? decodeAnswer(answer.bytes).message : (answer.message as PeerAnswer);
              if (answer.cargo !== undefined) this.cargo.set(message, answer.cargo);
              resolve(message);
            },
            failed: (reason) =>
              !life.isOver &&
              reject(new PeerFailure(reason, reason !== 'timed out' && reason !== 'connection refused')),
            describe: (described) => describeMessage(described.message),
          });
        }),
    };
  }

  private packOrFail(message: PeerRequest, to: string): Parcel | undefined {
    try {
      return this.pack(message, () => encodeRequest({ from: this.name, to, message }));
    } catch (error) {
      this.world.fail(error);
      return undefined;
    }
  }

  /** What stands in the message must be what this node had committed. */
  private pack(message: PeerRequest | PeerAnswer, encode: () => Uint8Array): Parcel {
    const cargo = this.cargoOf(message);
    return { message, bytes: this.world.options.isOnWire ? encode() : undefined, cargo };
  }

  private cargoOf(message: PeerRequest | PeerAnswer): Cargo | undefined {
    if ('batch' in message) return this.mind.pack(message.batch);
    return 'piece' in message ? this.mind.packPiece(message.piece) : undefined;
  }

  /** What a message brought is known from the step on that took it. */
  private stepped(input: Input, output: Output): void {
    if (input.kind === 'write') this.taking = undefined;
    if (input.kind === 'expire') this.mind.expire(input.key, input.wallMs);
    this.bring(input, output);
    for (const observation of output.observations) {
      if (observation.kind !== 'actor-sealed') continue;
      this.world.sealed.add(observation.actor);
      const lost = this.mind.seal(observation.actor, observation.counter);
      for (const [key, writes] of lost) this.world.giveUp(this.name, key, writes);
    }
  }

  private bring(input: Input, output: Output): void {
    const message = 'request' in input ? input.request : 'answer' in input ? input.answer : undefined;
    const cargo = message && this.cargo.get(message);
    const wallMs = 'wallMs' in input ? input.wallMs : this.nowMs;
    const isFetch = input.kind === 'peer-answer' && input.to === 'fetch';
    if (isFetch && cargo !== undefined) this.mind.fetched(cargo);
    this.damage.follow(input, output, wallMs);
    this.quorum.follow(input, output, cargo, wallMs);
    if (
      message === undefined ||
      cargo === undefined ||
      isFetch ||
      (input.kind === 'peer-answer' && input.to === 'read')
    )
      return;
    if (message.kind !== 'piece') return this.mind.merge(cargo, wallMs);
    if (!output.observations.some(({ kind }) => kind === 'bootstrap-progressed')) return;
    const { local } = input as { local: LocalKeys };
    this.mind.takePiece(cargo, { after: message.piece.span.after, through: local.through }, wallMs);
  }

  /** The step was not made: a record that it needs is damaged. */
  private refused(input: Input): void {
    if (input.kind === 'write' && this.taking !== undefined) this.mind.giveBack(this.taking.writes, this.taking.before);
    this.taking = undefined;
  }

  private eventsOf(life: Life): DriverEvents {
    return {
      observed: (observation) => this.observed(observation),
      peerFailed: (peer, error) => {
        const isExpected =
          error instanceof PeerFailure || (error instanceof CorruptRecordError && this.damage.hasStruck);
        if (!isExpected) this.world.fail(error ?? new Error(`${peer} failed`));
      },
      stopped: (error) => this.stopped(life, error),
    };
  }

  private observed(observation: Observation): void {
    this.world.count(observation.kind === 'repaired' && !observation.isWhole ? 'repaired in part' : observation.kind);
    if (observation.kind === 'bootstrap-started') this.checkNeed();
    if (observation.kind !== 'new-incarnation' || this.isOldCopy) return;
    const { actor, retired } = observation;
    this.world.fail(new Violation('incarnation', `${this.name} goes on as ${actor}: a peer knew more of ${retired}`));
  }

  /** With all disks kept and logs unbounded, every log reaches back to whatever a replica lacks. */
  private checkNeed(): void {
    const { wipes, oldCopies, logMax, limits } = this.world.options;
    if (wipes || oldCopies || logMax < 1e6 || limits.takeAllDots < 1e9) return;
    this.world.fail(new Violation('bootstrap', `${this.name} takes over all keys though it has kept its disk`));
  }

  /** A failing disk ends the process; nothing else may. */
  private stopped(life: Life, error: unknown): void {
    if (life.isOver) return;
    if (!(error instanceof DiskFailure)) return this.world.fail(error);
    this.world.timeline.schedule(0, this.name, 'process ends', () => !life.isOver && this.crash());
  }

  private conditionsOf(life: Life): StoreConditions<Carried> {
    const { world, mind, name } = this;
    const { options, prng, timeline } = world;
    return {
      afterCommitDelay: (kind, action) => {
        timeline.schedule(prng.between(0, options.commitMaxMs), name, kind, () => !life.isOver && action());
      },
      scanPause: () => {
        if (world.isCalm || !prng.chance(options.scanPauses)) return undefined;
        return new Promise((resolve) => {
          timeline.schedule(prng.between(1, 40), name, 'scan goes on', () => !life.isOver && resolve());
        });
      },
      commitFault: () => {
        if (!options.diskFailures || world.isCalm || !prng.chance(0.01)) return 'none';
        return prng.chance(0.5) ? 'lost' : 'applied';
      },
      submitted: () => this.submitted(),
      applied: (carried) => mind.applied(carried),
      answered: (carried) => mind.answered(carried),
    };
  }
}
