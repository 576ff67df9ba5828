// Which keys lie beyond a cursor? Those of the dots that the view covers and the cursor does not: the log says which keys
// they wrote. When all of these are passed, those whose lifetimes have ended since, as the index of deadlines says.
//
// They come in stretches, and a cursor passes one after the other. Each is read once, for however many readers stand at the
// cursor, and none before one of them has come to it.

import type { Actor, DotSpan } from '../clock/dot.js';
import { advance, countBeyond, counterOf, descends, type VersionVector } from '../clock/version-vector.js';
import type { CommittedView } from '../store/committed-view.js';
import { isLogKey } from '../store/keyspace.js';
import { CorruptRecordError } from '../store/record-codec.js';
import { isAfter, notAhead, stepOf, type Cursor, type Moment } from './cursor.js';
import { invariant } from './engine/invariant.js';
import { selectSpans } from './engine/select.js';
import { CursorExpiredError } from './errors.js';

/** Ends of lifetimes in a stretch: the store fetches as many in one hop. */
const ENDS = 1000;

export interface StretchLimits {
  /** Log entries, and then ends of lifetimes, that are looked at, whatever their keys. */
  readonly dotsMax: number;
  readonly wallMs: number;
}

export interface Stretch {
  readonly keys: readonly string[];
  /** A lifetime of each key has ended. */
  readonly haveEnded: boolean;
  /** Nothing lies beyond it. */
  readonly isLast: boolean;
  /** Where a cursor stands that has passed the first `count` keys. */
  readonly passed: (cursor: Cursor, count: number) => Cursor;
}

export class Stretches implements AsyncIterable<Stretch> {
  /** Where the first begins. */
  readonly from: Cursor;
  private readonly source: AsyncGenerator<Stretch>;
  private readonly read: Stretch[] = [];

  /** The view covers the cursor, and is retained by the caller until `end` has resolved. */
  constructor(
    readonly view: CommittedView,
    cursor: Cursor,
    readonly limits: StretchLimits,
  ) {
    this.from = { clock: cursor.clock, ended: notAhead(cursor.ended, limits.wallMs) };
    this.source = stretchesAfter(view, this.from, limits);
  }

  /**
   * From the first one on, one reader at a time.
   * @throws CursorExpiredError when the log does not reach back to the cursor
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<Stretch> {
    for (let place = 0; ; place++) {
      if (place === this.read.length) {
        const next = await this.source.next();
        if (next.done === true) return;
        this.read.push(next.value);
      }
      yield this.read[place]!;
    }
  }

  async end(): Promise<void> {
    await this.source.return(undefined);
  }
}

/** @throws CursorExpiredError when the log does not reach back to the cursor */
export function checkCursor(view: CommittedView, cursor: Cursor): void {
  if (!descends(cursor.clock, view.node.floor)) throw new CursorExpiredError();
}

async function* stretchesAfter(view: CommittedView, cursor: Cursor, limits: StretchLimits): AsyncGenerator<Stretch> {
  checkCursor(view, cursor);
  const { dotsMax } = limits;
  for (const span of selectSpans(view.clock, cursor.clock, leastFirst(view.clock, cursor.clock), dotsMax)) {
    yield* dotsIn(view, span);
  }
  if (countBeyond(view.clock, cursor.clock) <= dotsMax) yield* endsAfter(view, cursor.ended, limits);
}

/** Who writes much does not keep the changes of others from a reader that is slow. */
function leastFirst(clock: VersionVector, since: VersionVector): Actor[] {
  const missing = (actor: Actor): number => counterOf(clock, actor) - counterOf(since, actor);
  return [...clock.keys()].filter((actor) => missing(actor) > 0).sort((left, right) => missing(left) - missing(right));
}

async function* dotsIn(view: CommittedView, span: DotSpan): AsyncGenerator<Stretch> {
  const { actor, from, to } = span;
  let reached = from;
  try {
    for await (const keys of view.log.chunks(span)) {
      yield dots(actor, reached, keys);
      reached += keys.length;
    }
  } catch (error) {
    // Which key the dot wrote nobody can say: it is as good as an entry that is no longer there.
    if (error instanceof CorruptRecordError && isLogKey(error.recordKey)) throw new CursorExpiredError();
    throw error;
  }
  invariant(reached === to, `the log of ${actor} has a hole after ${from}`);
}

function dots(actor: Actor, from: number, keys: readonly string[]): Stretch {
  const passed = ({ clock, ended }: Cursor, count: number): Cursor => ({
    clock: advance(clock, { actor, counter: from + count }),
    ended,
  });
  return { keys, haveEnded: false, isLast: false, passed };
}

/** Keys that were replaced in time are no longer in the index. */
async function* endsAfter(
  view: CommittedView,
  since: Moment,
  { dotsMax, wallMs }: StretchLimits,
): AsyncGenerator<Stretch> {
  let moments: Moment[] = [];
  let left = dotsMax;
  for await (const { deadlineMs, key } of view.deadlines(since.wallMs - 1, wallMs)) {
    const moment = { wallMs: deadlineMs, key };
    if (!isAfter(moment, since)) continue;
    if (left-- === 0) {
      yield ends(moments);
      return;
    }
    moments.push(moment);
    if (moments.length < ENDS) continue;
    yield ends(moments);
    moments = [];
  }
  yield ends(moments, stepOf(wallMs));
}

/** @param through nothing ends after these up to here; the last stretch has it */
function ends(moments: readonly Moment[], through?: Moment): Stretch {
  const passed = ({ clock, ended: before }: Cursor, count: number): Cursor => {
    const ended = moments[count - 1] ?? before;
    const isWhole = through !== undefined && count === moments.length;
    return { clock, ended: isWhole && isAfter(through, ended) ? through : ended };
  };
  return { keys: moments.map(({ key }) => key), haveEnded: true, isLast: through !== undefined, passed };
}
