// Does the change feed tell everything? Readers follow it with their cursor from replica to replica, while those die, are
// cut off, lose their disks and take over all keys; when the log does not reach back to them, they list and go on.
//
// A reader is judged by the oracle after each answer: of every write that its cursor covers it must have been shown the
// key, in a state that knows the write, and of every lifetime whose end it covers, that it has ended.

import { liveAt } from '../../src/clock/lifetime.js';
import { ChangeFeed } from '../../src/replication/change-feed.js';
import type { ChangeFilter, Changes } from '../../src/replication/change-reader.js';
import { cursorAt, firstCursor, type Cursor, type Moment } from '../../src/replication/cursor.js';
import type { ReplicaDriver } from '../../src/replication/replica-driver.js';
import { CursorExpiredError } from '../../src/replication/errors.js';
import { CorruptRecordError } from '../../src/store/record-codec.js';
import { setOf } from './checks.js';
import type { Cluster } from './cluster.js';
import type { Known } from './mind.js';
import type { Life, SimulatedNode } from './node.js';
import { DRIFT_MS, NOTHING, type WriteSet } from './oracle.js';
import type { Prng } from './prng.js';
import { isSameMap, vectorText, type VersionLike } from './shapes.js';
import { Violation } from './violation.js';

/** Answers in a row that a replica has not seen what the cursor has: it may have died with a disk. */
const REFUSALS_MAX = 5;

/** More than any reader has left to read. */
const READS_MAX = 10_000;

/** What a reader has been shown of a key last. */
interface Shown {
  readonly known: WriteSet;
  readonly live: WriteSet;
  /** By the clock of the node that showed it. */
  readonly wallMs: number;
}

/** What a node shows, and when by its clock. */
interface Sight {
  readonly visible: Known;
  readonly wallMs: number;
}

const UNSHOWN: Shown = { known: 0n, live: 0n, wallMs: -Infinity };

export class FeedReader {
  private cursor: Cursor | undefined;
  private readonly shown = new Map<string, Shown>();
  private refusals = 0;
  /** The life of the node that it waits for; one that is over never answers. */
  private asked: Life | undefined;
  private readonly filter: Omit<ChangeFilter, 'wallMs'>;
  /** Clocks are further apart than they may be: some drop what others show still, or what others have not met. */
  private readonly hasDrift: boolean;
  /** It wants all from the first write on, and begins without a list. */
  private readonly wantsAll: boolean;

  constructor(
    private readonly name: string,
    private readonly cluster: Cluster,
    private readonly prng: Prng,
  ) {
    this.filter = {
      prefix: prng.pick(['', '', '', 'k1']),
      keysMax: prng.pick([1, 2, 1000]),
      bytesMax: prng.pick([0, 1e6]),
      dotsMax: prng.pick([1, 5, 10_000]),
    };
    const { clockJumps, clockSkewMs } = cluster.options;
    this.hasDrift = clockJumps || 2 * clockSkewMs > DRIFT_MS;
    this.wantsAll = prng.chance(0.5);
  }

  /** Looks what is new at a node, unless it still waits for another one. */
  look(node: SimulatedNode): void {
    const { driver, life } = node;
    if (driver === undefined || life === undefined || this.asked?.isOver === false) return;
    this.asked = life;
    this.ask(node, driver, life)
      .finally(() => (this.asked = undefined))
      .catch((error: unknown) => !life.isOver && this.cluster.fail(error));
  }

  /** Reads at this node until nothing is left; it must have all that the cursor has, or say that it does not. */
  async readToTheEnd(node: SimulatedNode): Promise<void> {
    const driver = node.driver!;
    for (let reads = 0; reads < READS_MAX; reads++) {
      const { cursor } = this;
      if (cursor === undefined || !(await driver.covers(cursor.clock, 0))) await this.list(node, driver);
      else if ((await this.read(node, driver, cursor))?.pending === 0) return;
    }
    throw new Violation('feed', `${this.name} comes to no end at ${node.name}`);
  }

  /** All is quiet: what the reader has is what the node has, and nothing is told twice. */
  async checkAtRest(node: SimulatedNode): Promise<void> {
    await this.readToTheEnd(node);
    const { visible } = node.mind;
    for (const key of this.keys) {
      const knowledge = visible.keys.get(key) ?? NOTHING;
      // Nobody can send the dots of what a replica knows beyond its clock, until their origin is back or given up.
      if (knowledge.known !== this.cluster.oracle.covered(key, visible.counters)) continue;
      const { known, live, wallMs } = this.shown.get(key) ?? UNSHOWN;
      // It was shown what has died with a disk since: nobody has it any more.
      const beyond = known & ~knowledge.known;
      if (beyond !== 0n && !this.cluster.isKnownAnywhere(key, beyond)) continue;
      // One whose clock is ahead may have shown the end already.
      const expected = this.cluster.oracle.shownSet(key, knowledge, Math.max(wallMs, node.nowMs));
      if (live === expected || (this.hasDrift && this.isAlikeButForLifetimes(key, live, expected))) continue;
      throw this.wrong(`has ${this.names(key, live)} at last`, key, expected);
    }
    const again = await this.read(node, node.driver!, this.cursor!);
    if (again?.changes.length !== 0) throw new Violation('feed', `${this.name} is told twice at ${node.name}, at rest`);
  }

  private async ask(node: SimulatedNode, driver: ReplicaDriver, life: Life): Promise<void> {
    const { cluster, prng } = this;
    if (this.wantsAll && this.shown.size === 0) this.cursor ??= firstCursor(node.nowMs);
    const { cursor } = this;
    const mustList = cursor === undefined || this.refusals > REFUSALS_MAX;
    if (!mustList && !(await driver.covers(cursor.clock, prng.pick([0, 100, 2000])))) {
      this.refusals++;
      return cluster.count('feed refused: behind');
    }
    // When nothing else happens: what the node shows is what the oracle says it shows.
    await new Promise<void>((resolve) => {
      cluster.timeline.schedule(0, node.name, 'feed', () => !life.isOver && resolve());
    });
    if (mustList) await this.list(node, driver);
    else await this.read(node, driver, cursor);
  }

  /** Undefined: the answer was no. */
  private async read(node: SimulatedNode, driver: ReplicaDriver, cursor: Cursor): Promise<Changes | undefined> {
    const { cluster } = this;
    const { nowMs: wallMs } = node;
    const { visible } = node.mind;
    try {
      const changes = await new ChangeFeed(driver, node.life!.expiry!).read(cursor, { ...this.filter, wallMs });
      cluster.count(changes.changes.length > 0 ? 'feed read' : 'feed read: nothing');
      if (changes.changes.some(({ hasEnded }) => hasEnded)) cluster.count('feed read: expired');
      this.take(node, { visible, wallMs }, cursor, changes);
      return changes;
    } catch (error) {
      if (error instanceof CursorExpiredError) {
        cluster.count('feed refused: expired');
        this.cursor = undefined;
        return undefined;
      }
      if (error instanceof CorruptRecordError && node.damage.hasStruck) return undefined;
      throw error;
    }
  }

  private take(node: SimulatedNode, at: Sight, before: Cursor, { changes, cursor, pending }: Changes): void {
    const keys = new Set<string>();
    for (const { key, versions } of changes) {
      if (keys.has(key)) throw new Violation('feed', `${node.name} tells ${this.name} twice of ${key} in one answer`);
      keys.add(key);
      if (!node.damage.isLost(key)) this.show(node, at, key, versions);
    }
    this.refusals = 0;
    this.cursor = cursor;
    const [now, then, all] = [cursor.clock, before.clock, at.visible.counters];
    const isOnWay = [...now].every(([actor, counter]) => counter <= (all.get(actor) ?? 0));
    const isForward = [...then].every(([actor, counter]) => counter <= (now.get(actor) ?? 0));
    const isAtEnd = isSameMap(now, all);
    // At the end of the dots ends of lifetimes may be left.
    if (!isOnWay || !isForward || (isAtEnd ? pending > 1 : pending === 0)) {
      const [from, to, of] = [then, now, all].map(vectorText);
      throw new Violation('feed', `${node.name} moves ${this.name} from ${from} to ${to} of ${of}, ${pending} pending`);
    }
    for (const key of this.keys) {
      const covered = this.cluster.oracle.covered(key, now);
      const missing = covered & ~(this.shown.get(key) ?? UNSHOWN).known;
      if (missing !== 0n) throw this.wrong(`has a cursor of ${node.name} and was not shown`, key, missing);
      // What was shown beyond the cursor is shown again for its dot.
      const undead = covered & (this.shown.get(key) ?? UNSHOWN).live & this.endedBy(key, cursor.ended);
      if (undead !== 0n && !this.hasDrift)
        throw this.wrong(`has a cursor of ${node.name} and was not shown the end of`, key, undead);
    }
  }

  /** The writes of the key whose lifetimes had ended at this place in the order of ends. */
  private endedBy(key: string, { wallMs, key: last }: Moment): WriteSet {
    return this.cluster.oracle.ended(key, key <= last ? wallMs : wallMs - 1);
  }

  private isAlikeButForLifetimes(key: string, left: WriteSet, right: WriteSet): boolean {
    return ((left ^ right) & ~this.cluster.oracle.mortal(key)) === 0n;
  }

  private show(node: SimulatedNode, at: Sight, key: string, versions: readonly VersionLike[]): void {
    const { oracle } = this.cluster;
    const knowledge = at.visible.keys.get(key) ?? NOTHING;
    const live = setOf(oracle, `${node.name} tells ${this.name}`, key, versions);
    const expected = oracle.shownSet(key, knowledge, at.wallMs);
    if (live !== expected) throw this.wrong(`is told ${this.names(key, live)} by ${node.name}`, key, expected);
    this.shown.set(key, { known: knowledge.known, live, wallMs: at.wallMs });
  }

  /** Everything anew. */
  private async list(node: SimulatedNode, driver: ReplicaDriver): Promise<void> {
    const at = { visible: node.mind.visible, wallMs: node.nowMs };
    const view = driver.view.retain();
    try {
      const stored = new Map<string, readonly VersionLike[]>();
      for await (const { key, container } of view.containers('', undefined))
        stored.set(key, liveAt(container.versions, at.wallMs));
      for (const key of this.keys) this.show(node, at, key, stored.get(key) ?? []);
      this.cursor = cursorAt(view, at.wallMs);
      this.refusals = 0;
      this.cluster.count('feed listed');
    } catch (error) {
      if (!(error instanceof CorruptRecordError) || !node.damage.hasStruck) throw error;
    } finally {
      view.release();
    }
  }

  private get keys(): readonly string[] {
    return this.cluster.keys.filter((key) => key.startsWith(this.filter.prefix));
  }

  private names(key: string, writes: WriteSet): string {
    return `[${this.cluster.oracle.names(key, writes).join(' ')}]`;
  }

  private wrong(what: string, key: string, writes: WriteSet): Violation {
    return new Violation('feed', `${this.name} ${what} ${this.names(key, writes)} of ${key}`);
  }
}

/** All readers of a run. */
export class FeedReaders {
  private readonly readers: readonly FeedReader[];
  private isOver = false;

  constructor(
    private readonly cluster: Cluster,
    private readonly prng: Prng,
  ) {
    this.readers = Array.from(
      { length: cluster.options.readers },
      (_, i) => new FeedReader(`reader ${i + 1}`, cluster, prng.fork()),
    );
    if (this.readers.length > 0) this.schedule();
  }

  end(): void {
    this.isOver = true;
  }

  /** Each reader at each of these nodes. */
  async checkAtRest(names: readonly string[]): Promise<void> {
    for (const reader of this.readers) {
      for (const name of names) await reader.checkAtRest(this.cluster.node(name));
    }
  }

  private schedule(): void {
    const { cluster, prng } = this;
    const waitMs = prng.intervalMs(cluster.options.readEveryMs);
    cluster.timeline.schedule(waitMs, '', 'reader', () => {
      if (this.isOver) return;
      this.schedule();
      prng.pick(this.readers).look(cluster.node(prng.pick(cluster.names)));
    });
  }
}
