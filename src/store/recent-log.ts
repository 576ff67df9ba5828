// Which keys did the newest dots write? They are asked for again and again, for each peer that has to be sent them, just
// after they were committed: kept in memory, the log on disk need not be read for them.
//
// The very newest are strings. Before a second collection of the young generation would move them to the old one, which has to
// be marked as a whole to be rid of them again, they become bytes in a ring.

import type { Container } from '../clock/container.js';
import type { Actor, Dot } from '../clock/dot.js';
import type { LoggedRequest } from '../clock/request.js';
import { advance, counterOf, type VersionVector } from '../clock/version-vector.js';
import { BinaryReader } from '../codec/binary-reader.js';
import { BinaryWriter } from '../codec/binary-writer.js';
import { ByteRing, type RingPiece } from './byte-ring.js';

/** Of each actor so many keys, to twice as many, are strings: those that peers lack that keep up. */
const STRINGS = 256;

/** All other keys: the newest dots of all actors. A peer that lacks more is far behind, and the disk is read for it. */
const RING_BYTES = 4 * 1024 * 1024;

const writer = new BinaryWriter(8192);

/** What a view need not read from the store, since it was in use a short while ago. */
export interface Recent {
  readonly log: RecentLog;
  /** A container as the view's commit stored it; undefined: it is not known here. */
  container(key: string): Container | undefined;
}

interface RecentDots {
  /** In the ring, in order: the first may be overwritten. */
  readonly blocks: Block[];
  /** The counter before that of the first of `keys`. */
  before: number;
  keys: string[];
}

/** `STRINGS` keys. */
interface Block extends RingPiece {
  /** The counter before that of the first key. */
  readonly before: number;
}

export class RecentLog {
  private readonly actors = new Map<Actor, RecentDots>();
  private readonly ring = new ByteRing(RING_BYTES);

  /** @param requested among the dots that it covers may be some that requests with names wrote; nobody has looked */
  constructor(private requested: VersionVector) {}

  /** In the order of each actor's counters. */
  add(entries: readonly (Dot & { readonly key: string; readonly request?: LoggedRequest | undefined })[]): void {
    for (const { actor, counter, key, request } of entries) {
      if (request !== undefined) this.requested = advance(this.requested, { actor, counter });
      const recent = this.actors.get(actor);
      if (recent === undefined || recent.before + recent.keys.length + 1 !== counter) {
        this.actors.set(actor, { blocks: [], before: counter - 1, keys: [key] });
        continue;
      }
      recent.keys.push(key);
      if (recent.keys.length === 2 * STRINGS) this.pack(recent);
    }
  }

  /** False: no request with a name has written any of the actor's dots after `from`. */
  mayHaveRequests(actor: Actor, from: number): boolean {
    return counterOf(this.requested, actor) > from;
  }

  /** The keys of the dots after `from` up to and with `to`; undefined when not all of them are kept. */
  keys(actor: Actor, from: number, to: number): readonly string[] | undefined {
    const recent = this.actors.get(actor);
    if (recent === undefined || to > recent.before + recent.keys.length) return undefined;
    const { blocks, before, keys } = recent;
    if (from >= before) return keys.slice(from - before, to - before);
    const first = blocks.findLastIndex((block) => block.before <= from);
    if (first < 0 || !this.ring.has(blocks[first]!)) return undefined;
    const start = blocks[first]!.before;
    const needed = blocks.slice(first).filter((block) => block.before < to);
    return needed
      .flatMap((block) => this.unpacked(block))
      .concat(keys)
      .slice(from - start, to - start);
  }

  /** The older half of the strings. */
  private pack(recent: RecentDots): void {
    const { blocks, before, keys } = recent;
    writer.clear();
    for (const key of keys.slice(0, STRINGS)) writer.text(key);
    blocks.push({ before, ...this.ring.put(writer.view()) });
    while (!this.ring.has(blocks[0]!)) blocks.shift();
    recent.keys = keys.slice(STRINGS);
    recent.before += STRINGS;
  }

  private unpacked(block: Block): string[] {
    const reader = new BinaryReader(this.ring.get(block));
    return Array.from({ length: STRINGS }, () => reader.text());
  }
}
