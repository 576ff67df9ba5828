// Which keys did dots write? As of one commit. Log entries of an actor that are committed together share a record: LevelDB
// sorts it, and removes it, once for all of them. That of the first dot of a request with a name stands alone.

import type { Actor, Dot, DotSpan } from '../clock/dot.js';
import type { LoggedRequest } from '../clock/request.js';
import { StoreReadError } from './errors.js';
import { dotsOf, LOGGED_DOTS_MAX, logKey, logWith, WHOLE_LOG } from './keyspace.js';
import type { RecentLog } from './recent-log.js';
import { decodeLogged, encodeLogged, type Logged } from './record-codec.js';
import type { RecordReader } from './record-reader.js';
import type { StoreChange, StoreEntry, StoreSnapshot } from './store.port.js';

/** Records that a scan fetches in one hop to the store: some tell of 255 dots, and all of a chunk are decoded at once. */
const CHUNK = 100;

export interface LogEntry extends Dot {
  readonly key: string;
  readonly request?: LoggedRequest | undefined;
}

/** @param log in the order of each actor's counters */
export function logChanges(log: readonly LogEntry[]): StoreChange[] {
  const changes: StoreChange[] = [];
  const gathered = new Map<Actor, { last: number; keys: string[] }>();
  for (const { actor, counter, key, request } of log) {
    if (request !== undefined) {
      changes.push(logChange(actor, counter, { keys: [key], request }));
      continue;
    }
    const run = gathered.get(actor);
    if (run?.last === counter - 1 && run.keys.length < LOGGED_DOTS_MAX) {
      run.keys.push(key);
      run.last = counter;
      continue;
    }
    if (run !== undefined) changes.push(logChange(actor, run.last, run));
    gathered.set(actor, { last: counter, keys: [key] });
  }
  for (const [actor, run] of gathered) changes.push(logChange(actor, run.last, run));
  return changes;
}

function logChange(actor: Actor, last: number, logged: Logged): StoreChange {
  const key = logKey(actor, last, logged.keys.length);
  return { type: 'put', key, value: encodeLogged(key, logged) };
}

export class LogRecords {
  constructor(
    private readonly snapshot: StoreSnapshot,
    private readonly records: RecordReader,
    private readonly recent: RecentLog,
  ) {}

  /** The dots of every record, actor by actor and in the order of their counters. */
  async *spans(): AsyncGenerator<DotSpan> {
    for await (const [recordKey] of this.records.scan(WHOLE_LOG)) yield dotsOf(recordKey);
  }

  /**
   * The keys that these dots wrote, in order.
   * @throws CorruptRecordError
   */
  async *keys(span: DotSpan): AsyncGenerator<string> {
    for await (const keys of this.chunks(span)) yield* keys;
  }

  /** As `keys`, many at a time; from memory, when they were committed a short while ago. */
  async *chunks(span: DotSpan): AsyncGenerator<readonly string[]> {
    const recent = this.recent.keys(span.actor, span.from, span.to);
    if (recent !== undefined) {
      yield recent;
      return;
    }
    let { from } = span;
    try {
      for await (const chunk of this.snapshot.scan(logWith(span), CHUNK)) {
        for (const keys of this.decoded(chunk, { ...span, from })) {
          from += keys.length;
          yield keys;
        }
        if (from >= span.to) return;
      }
    } catch (error) {
      if (!(error instanceof StoreReadError)) throw error;
      // Some of the chunk may stand before the part that can't be read.
      yield* this.oneByOne({ ...span, from });
    }
  }

  /** The keys of these records, up to one that is damaged, or to the end of the span. */
  private *decoded(chunk: readonly StoreEntry[], span: DotSpan): Generator<readonly string[]> {
    const keys: string[] = [];
    for (const entry of chunk) {
      // What its key says of a record does not do: until all is found, each is read, and checked.
      if (span.from + keys.length >= span.to) break;
      try {
        keys.push(...this.within(span, entry));
      } catch (error) {
        yield keys;
        throw error;
      }
    }
    yield keys;
  }

  /** Those of the record's keys that dots of the span wrote. */
  private within({ from, to }: DotSpan, [recordKey, record]: StoreEntry): readonly string[] {
    const { keys } = this.records.decode(decodeLogged, recordKey, record);
    const before = dotsOf(recordKey).from;
    return keys.slice(Math.max(0, from - before), Math.max(0, to - before));
  }

  private async *oneByOne(span: DotSpan): AsyncGenerator<readonly string[]> {
    for (let { from } = span; from < span.to;) {
      const recordKey = await this.next({ ...span, from });
      const record = recordKey && this.records.get(recordKey);
      if (record === undefined) return;
      yield this.within(span, [recordKey!, record]);
      from = dotsOf(recordKey!).to;
    }
  }

  /** Where the first record of the span stands. @throws CorruptRecordError when it can't be read */
  private async next(span: DotSpan): Promise<Uint8Array | undefined> {
    try {
      for await (const [entry] of this.snapshot.scan(logWith(span), 1)) return entry![0];
      return undefined;
    } catch (error) {
      if (!(error instanceof StoreReadError)) throw error;
      // A scan that has passed over a part names the record behind it; one that ends at the part, the last before it.
      const { through } = error;
      if (through !== undefined && dotsOf(through).from <= span.from) return through;
      throw this.records.unreadable(logKey(span.actor, span.from + 1), error);
    }
  }
}
