// Which keys are there? In the order of their bytes, from one committed view: a page, or all of them as NDJSON.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { liveAt } from '../../clock/lifetime.js';
import type { Resolution } from '../../clock/resolution.js';
import { cursorAt } from '../../replication/cursor.js';
import type { ReplicaDriver } from '../../replication/replica-driver.js';
import type { CommittedView } from '../../store/committed-view.js';
import { entryToJson } from '../http/entry-json.js';
import { Lanes } from '../http/lanes.js';
import { writeLines } from '../http/ndjson.js';
import { Problem } from '../http/problem.js';
import { choiceParameter, integerParameter, parseQuery } from '../http/query.js';
import { SessionGate, timeoutMsOf } from '../http/session-gate.js';
import type { Tokens } from '../http/tokens.js';

const LIMIT = 100;
const LIMIT_MAX = 1000;

/** A page ends early past this, with `next` set: a thousand values of a megabyte do not belong in one answer. */
const PAGE_BYTES_MAX = 8 * 1024 * 1024;

/** From where, and how many. */
type Listed = [prefix: string, after: string | undefined, wanted: number];

interface Asked {
  readonly range: Listed;
  readonly limit: number;
  readonly wantsValues: boolean;
  readonly isStream: boolean;
}

export class ListHandler {
  private readonly gate: SessionGate;
  private readonly lanes = new Lanes();

  constructor(
    private readonly driver: ReplicaDriver,
    private readonly tokens: Tokens,
    private readonly resolution: Resolution,
  ) {
    this.gate = new SessionGate(driver, tokens);
  }

  async list(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const query = parseQuery(req.url!, ['prefix', 'after', 'limit', 'values', 'timeout']);
    const wantsValues = choiceParameter(query, 'values', ['true', 'false']) === 'true';
    const isStream = wantsLines(req.headers.accept);
    // The end of the connection would be the end of the list, and so would be a connection that is cut.
    if (isStream && !res.useChunkedEncodingByDefault) {
      throw new Problem(
        'INVALID_HEADER',
        'Accept: lines have no end that HTTP/1.0 can tell; ask by HTTP/1.1, or for pages',
      );
    }
    const limit = integerParameter(query, 'limit', isStream ? Infinity : LIMIT, 1, isStream ? Infinity : LIMIT_MAX);
    await this.gate.pass(req, timeoutMsOf(query));
    // One more tells whether another page follows.
    const range: Listed = [query.get('prefix') ?? '', query.get('after'), limit + 1];
    const answer = (): Promise<void> => this.answer(req, res, { range, limit, wantsValues, isStream });
    // A stream goes out as it is made; a page is in memory, and waits for nobody.
    return isStream ? answer() : this.lanes.take(answer);
  }

  private async answer(
    req: IncomingMessage,
    res: ServerResponse,
    { range, limit, wantsValues, isStream }: Asked,
  ): Promise<void> {
    // Who has left while it waited is not made a page.
    if (req.socket.destroyed) return;
    const view = this.driver.view.retain();
    try {
      const entries = this.entries(view, range, wantsValues);
      const session = this.tokens.session(await view.knownOfAny());
      res.setHeader('Cache-Control', 'no-store');
      const cursor = this.tokens.cursor(cursorAt(view, Date.now()));
      res.setHeader('Quartet-Session', session);
      res.setHeader('Quartet-Cursor', cursor);
      if (isStream) {
        res.setHeader('Content-Type', 'application/x-ndjson');
        // Nothing of a head depends on the keys: they need not be read for it.
        if (req.method === 'HEAD') res.end();
        else await writeLines(res, take(entries, limit));
      } else {
        const body = JSON.stringify({ ...(await page(entries, limit)), session, cursor });
        res.setHeader('Content-Type', 'application/json');
        res.setHeader('Content-Length', Buffer.byteLength(body));
        res.end(body);
      }
    } catch (error) {
      // Who has not been listed everything must not go on from here.
      if (!res.headersSent) res.removeHeader('Quartet-Cursor');
      throw error;
    } finally {
      view.release();
    }
  }

  private async *entries(view: CommittedView, range: Listed, wantsValues: boolean) {
    // One moment for all of them, as one view is.
    const wallMs = this.driver.nowMs;
    for await (const { key, container } of view.containers(...range)) {
      const versions = liveAt(container.versions, wallMs);
      if (versions.length > 0) yield { key, ...entryToJson(versions, wantsValues, this.resolution) };
    }
  }
}

/** Whether NDJSON is among what the client takes, and not only to be excluded (RFC 9110, section 12.5.1). */
function wantsLines(accept = ''): boolean {
  return accept.split(',').some((range) => {
    const [type, ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    return type === 'application/x-ndjson' && !parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter));
  });
}

type Entry = { readonly key: string; readonly value?: unknown; readonly base64?: string };

async function* take<T>(items: AsyncIterable<T>, limit: number): AsyncGenerator<T> {
  let left = limit;
  for await (const item of items) {
    yield item;
    if (--left === 0) return;
  }
}

/** One page, and in `next` the key after which the following one begins; null at the end. */
async function page(items: AsyncIterable<Entry>, limit: number): Promise<{ entries: Entry[]; next: string | null }> {
  const entries: Entry[] = [];
  let bytes = 0;
  for await (const entry of items) {
    if (entries.length === limit || bytes > PAGE_BYTES_MAX) return { entries, next: entries.at(-1)!.key };
    entries.push(entry);
    bytes += entry.key.length + lengthOf(entry.value ?? entry.base64 ?? '');
  }
  return { entries, next: null };
}

/** In characters of JSON, roughly. */
function lengthOf(value: unknown): number {
  return typeof value === 'string' ? value.length : JSON.stringify(value).length;
}
