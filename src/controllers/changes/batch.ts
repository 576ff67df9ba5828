// How do changes look to a client? As JSON, made once for all who get the same, with the cursor to go on from.

import type { Resolution } from '../../clock/resolution.js';
import type { ChangeFeed } from '../../replication/change-feed.js';
import { changesIn, type Change, type Changes, type Wanted } from '../../replication/change-reader.js';
import type { Cursor } from '../../replication/cursor.js';
import type { Stretches } from '../../replication/stretches.js';
import type { CommittedView } from '../../store/committed-view.js';
import { entryToJson } from '../http/entry-json.js';
import type { Tokens } from '../http/tokens.js';

/** Log entries that one batch looks at: some ten milliseconds, whatever the prefix. */
const DOTS_MAX = 10_000;

/** Of keys and values: the share of a reader that does not take it, and there may be a thousand of them. */
const BYTES_MAX = 256 * 1024;

/** What a reader asks for. */
export interface Selection {
  readonly prefix: string;
  readonly limit: number;
  readonly wantsValues: boolean;
}

export class Batch {
  private encoded: Buffer | undefined;

  constructor(
    readonly cursor: Cursor,
    readonly token: string,
    readonly entries: number,
    /** Dots that were there and are not looked at yet; not 0 either when lifetimes are left. */
    readonly pending: number,
    readonly session: string,
    /** `{entries, cursor, pending, session}` as JSON. */
    readonly body: string,
  ) {}

  /**
   * The batch as one event of a stream; the same bytes for every reader. The id is the last line: some readers take it as it
   * comes, and would go on behind a batch that was cut in the middle.
   */
  get event(): Buffer {
    return (this.encoded ??= Buffer.from(`data: ${this.body}\nid: ${this.token}\n\n`));
  }
}

export class BatchReader {
  constructor(
    private readonly feed: ChangeFeed,
    private readonly tokens: Tokens,
    private readonly resolution: Resolution,
  ) {}

  /**
   * The next changes after this cursor.
   * @throws CursorExpiredError, CorruptRecordError
   */
  async read(since: Cursor, selection: Selection): Promise<Batch> {
    const limits = { dotsMax: DOTS_MAX, wallMs: Date.now() };
    return this.batch(await this.feed.read(since, { ...limits, ...wantedOf(selection) }), selection);
  }

  /**
   * What lies beyond the cursor, for many to pick from. The view is retained by the caller.
   * @throws CursorExpiredError
   */
  begin(view: CommittedView, since: Cursor, wallMs: number): Stretches {
    return this.feed.beyond(view, since, { dotsMax: DOTS_MAX, wallMs });
  }

  /** @throws CursorExpiredError, CorruptRecordError */
  async pick(stretches: Stretches, selection: Selection): Promise<Batch> {
    return this.batch(await changesIn(stretches, wantedOf(selection)), selection);
  }

  token(cursor: Cursor): string {
    return this.tokens.cursor(cursor);
  }

  private batch({ changes, cursor, pending, seen }: Changes, { wantsValues }: Selection): Batch {
    const entries = changes.map((change) => this.entry(change, wantsValues));
    const [token, session] = [this.tokens.cursor(cursor), this.tokens.session(seen)];
    const body = JSON.stringify({ entries, cursor: token, pending, session });
    return new Batch(cursor, token, entries.length, pending, session, body);
  }

  private entry({ key, versions, hasEnded }: Change, wantsValues: boolean) {
    if (versions.length === 0) return { key, op: hasEnded ? 'expire' : 'delete' };
    return { key, op: 'put', ...entryToJson(versions, wantsValues, this.resolution) };
  }
}

function wantedOf({ prefix, limit }: Selection): Wanted {
  return { prefix, keysMax: limit, bytesMax: BYTES_MAX };
}
