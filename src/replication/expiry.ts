// Who drops what has passed its deadline?
//
// The store has an index of deadlines. Whenever the first of those that lie ahead is due, so many as are due are looked up,
// and the engine is told of their keys: it costs what expires, however many keys there are. Entries stay behind for those who
// follow the changes, and are removed when nobody may ask for them any more.

import { actorName } from '../clock/dot.js';
import { DRIFT_MAX_MS, stampToMs } from '../clock/hybrid-clock.js';
import { HIDDEN_MS } from '../clock/lifetime.js';
import { counterOf, descends, type VersionVector } from '../clock/version-vector.js';
import { StoreReadError } from '../store/errors.js';
import type { CommittedView } from '../store/committed-view.js';
import type { ReplicaStore } from '../store/replica-store.js';
import { begunBeforeMs } from './incarnation.js';
import type { ReplicaDriver } from './replica-driver.js';
import type { Cancel, Time } from './time.port.js';

/** How often it looks whether something is due, which is a comparison of two numbers. */
const LOOK_EVERY_MS = 500;

/** For so long a peer may seem to be there that has just gone: a comparison, and the time that it is waited for. */
const UNNOTICED_MS = 4000;

/**
 * What is older than this when it comes may have been dropped where it comes from, and is never stored here: two drifts less
 * than it is hidden, for the clock there may be ahead of its author's, and the stamp from which this node counts of its own.
 */
const LATE_LOOKS = (DRIFT_MAX_MS - UNNOTICED_MS) / LOOK_EVERY_MS;

/** So many keys are looked at before others have their turn, a few milliseconds: after a start there are those of hours. */
const KEYS_PER_TURN = 100;

/** Entries are removed this often for each retention, so that a removal has something to remove. */
const CLEARINGS_PER_RETENTION = 4;

export class Expiry {
  /** No deadline that has not been acted upon is earlier. */
  private nextMs = 0;
  private clearedAtMs = -Infinity;
  private keptAfterMs: number;
  private cancel: Cancel = () => {};
  /** Looks there should have been: a process that stood still, or whose clock was set, has missed some. */
  private looks = 0;
  private looksCountedAtMs: number;
  /** By node, the last look as of which all has come that it had; of others nothing is known since the first. */
  private readonly heard = new Map<string, number>();
  /** By peer, what it has told, and at which look: when that has come, it is heard as of then. */
  private readonly told = new Map<string, { readonly clock: VersionVector; readonly look: number }>();
  private readonly firstLook: number;
  private clock: VersionVector;
  private isStopped = true;
  private underWay: Promise<void> = Promise.resolve();

  constructor(
    private readonly driver: ReplicaDriver,
    private readonly store: ReplicaStore,
    private readonly time: Time,
    /** How long who follows the changes may ask for what has ended. */
    private readonly retentionMs: number,
  ) {
    store.watchDeadlines((deadlineMs) => this.expect(deadlineMs));
    const { clock, node } = store.view;
    const nowMs = time.nowMs();
    // What had been dropped where a snapshot or another replica's keys come from is not in the index. An actor begins with
    // either; one that took over all keys in a later life may have logged nothing since.
    const begunMs = Math.min(begunBeforeMs(driver.actor), nowMs);
    const keptMs = descends(node.floor, clock) ? 0 : retentionMs;
    this.keptAfterMs = Math.max(nowMs - keptMs, begunMs) - DRIFT_MAX_MS;
    this.looksCountedAtMs = nowMs;
    this.clock = clock;
    // When it last ran nobody knows; it has heard of nothing since this, and one drift, by which a stamp may be ahead.
    this.firstLook = Math.floor((stampToMs(node.stamp) - nowMs) / LOOK_EVERY_MS);
  }

  /**
   * Whoever follows the changes is told of every lifetime that ended later than this. After the clock was set back it would
   * be ahead of all that is read now, and what was removed then is long hidden.
   */
  get endedKeptAfterMs(): number {
    // What has just come must not be read as if all ends before it had come too.
    this.hear();
    return Math.min(this.keptAfterMs, this.time.nowMs() - DRIFT_MAX_MS);
  }

  start(): void {
    this.isStopped = false;
    this.sleep();
  }

  /** Resolves when nothing is read any more. */
  async stop(): Promise<void> {
    this.isStopped = true;
    this.cancel();
    await this.underWay;
  }

  private sleep(): void {
    if (this.isStopped || this.driver.failure !== undefined) return;
    this.cancel = this.time.after(LOOK_EVERY_MS, () => {
      this.underWay = this.look()
        .catch((error: unknown) => {
          // A part that can't be read: whoever needs its keys hears of it, and the scrub finds those that stay.
          if (!(error instanceof StoreReadError)) throw error;
        })
        .then(() => this.sleep());
    });
  }

  private async look(): Promise<void> {
    const wallMs = this.time.nowMs();
    const dueMs = wallMs - HIDDEN_MS;
    this.hear();
    if (this.nextMs <= dueMs) await this.withView((view) => this.drop(view, dueMs, wallMs));
    const isClearingDue = Math.abs(wallMs - this.clearedAtMs) >= this.retentionMs / CLEARINGS_PER_RETENTION;
    if (!isClearingDue) return;
    this.clearedAtMs = wallMs;
    await this.withView((view) => this.clear(view, dueMs - this.retentionMs));
  }

  /** What others have dropped does not come with their keys, nor with what comes late. */
  private hear(): void {
    this.countLooks();
    const hasHeardLate = this.hasHeardLate();
    if (!hasHeardLate && this.driver.progress.bootstrap === undefined) return;
    this.keptAfterMs = Math.max(this.keptAfterMs, this.time.nowMs() - DRIFT_MAX_MS);
  }

  private countLooks(): void {
    const passedMs = this.time.nowMs() - this.looksCountedAtMs;
    const looks = Math.floor(Math.abs(passedMs) / LOOK_EVERY_MS);
    this.looks += looks;
    this.looksCountedAtMs += Math.sign(passedMs) * looks * LOOK_EVERY_MS;
  }

  /** Whether writes may have come since it was asked last whose values had ended long before. */
  private hasHeardLate(): boolean {
    const look = this.looks;
    const isLate = (name: string): boolean => look - (this.heard.get(name) ?? this.firstLook) > LATE_LOOKS;
    const { clock } = this.store.view;
    let hasHeardLate = false;
    // By way of others, from one that is away.
    for (const [actor, counter] of clock) {
      const name = actorName(actor);
      if (counter > counterOf(this.clock, actor) && name !== actorName(this.driver.actor))
        hasHeardLate ||= isLate(name);
    }
    for (const peer of this.driver.peers) {
      if (!peer.isReachable || peer.clock === undefined) continue;
      hasHeardLate ||= isLate(peer.name);
      const told = this.told.get(peer.name);
      if (descends(clock, peer.clock)) this.heard.set(peer.name, look);
      else if (told !== undefined && descends(clock, told.clock)) this.heard.set(peer.name, told.look);
      else if (told !== undefined) continue;
      this.told.set(peer.name, { clock: peer.clock, look });
    }
    this.clock = clock;
    return hasHeardLate;
  }

  private async drop(view: CommittedView, dueMs: number, wallMs: number): Promise<void> {
    let reachedMs = this.nextMs;
    // What is committed from now on is not in the view, and announces itself.
    this.nextMs = Infinity;
    let keys = 0;
    try {
      for await (const { deadlineMs, key } of view.deadlines(reachedMs - 1, Infinity)) {
        if (this.isStopped) return;
        reachedMs = deadlineMs;
        if (deadlineMs > dueMs) return this.expect(deadlineMs);
        this.driver.expire(key, wallMs);
        if (++keys % KEYS_PER_TURN === 0) await new Promise<void>((resolve) => this.time.soon(resolve));
      }
    } catch (error) {
      this.expect(reachedMs);
      throw error;
    }
  }

  private expect(deadlineMs: number): void {
    this.nextMs = Math.min(this.nextMs, deadlineMs);
  }

  private async clear(view: CommittedView, throughMs: number): Promise<void> {
    for await (const _ of view.deadlines(-1, throughMs)) {
      this.keptAfterMs = Math.max(this.keptAfterMs, throughMs);
      this.store.clearDeadlines(throughMs);
      return;
    }
  }

  private async withView(use: (view: CommittedView) => Promise<void>): Promise<void> {
    const view = this.store.view.retain();
    try {
      await use(view);
    } finally {
      view.release();
    }
  }
}
