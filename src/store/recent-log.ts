// Which keys did the newest dots write? They are asked for again and again, for each peer that has to be sent them, just
// after they were committed: kept in memory, the log on disk need not be read for them.

import type { Container } from '../clock/container.js';
import type { Actor, Dot } from '../clock/dot.js';
import type { LoggedRequest } from '../clock/request.js';
import { advance, counterOf, type VersionVector } from '../clock/version-vector.js';

/** Of each actor; a peer that lacks more is far behind, and the disk is read for it. A key takes some 40 bytes. */
const DOTS_MAX = 32_768;

/** What a view need not read from the store, since it was in use a short while ago. */
export interface Recent {
  readonly log: RecentLog;
  /** A container as the view's commit stored it; undefined: it is not known here. */
  container(key: string): Container | undefined;
}

interface RecentDots {
  /** The counter before that of the first key. */
  before: number;
  keys: string[];
}

export class RecentLog {
  private readonly actors = new Map<Actor, RecentDots>();

  /** @param requested among the dots that it covers may be some that requests with names wrote; nobody has looked */
  constructor(private requested: VersionVector) {}

  /** In the order of each actor's counters. */
  add(entries: readonly (Dot & { readonly key: string; readonly request?: LoggedRequest | undefined })[]): void {
    for (const { actor, counter, key, request } of entries) {
      if (request !== undefined) this.requested = advance(this.requested, { actor, counter });
      const recent = this.actors.get(actor);
      if (recent === undefined || recent.before + recent.keys.length + 1 !== counter) {
        this.actors.set(actor, { before: counter - 1, keys: [key] });
        continue;
      }
      recent.keys.push(key);
      if (recent.keys.length < 2 * DOTS_MAX) continue;
      recent.keys = recent.keys.slice(DOTS_MAX);
      recent.before += DOTS_MAX;
    }
  }

  /** False: no request with a name has written any of the actor's dots after `from`. */
  mayHaveRequests(actor: Actor, from: number): boolean {
    return counterOf(this.requested, actor) > from;
  }

  /** The keys of the dots after `from` up to and with `to`; undefined when not all of them are kept. */
  keys(actor: Actor, from: number, to: number): readonly string[] | undefined {
    const recent = this.actors.get(actor);
    if (recent === undefined || from < recent.before || to > recent.before + recent.keys.length) return undefined;
    return recent.keys.slice(from - recent.before, to - recent.before);
  }
}
