// How is the change feed asked for? At once (`poll`), waiting until something has changed (`longpoll`), or as a stream of
// events (`eventsource`); from a cursor on, which any replica may have given.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from '../../clock/version-vector.js';
import type { ChangeFeed } from '../../replication/change-feed.js';
import { firstCursor, type Cursor } from '../../replication/cursor.js';
import type { ReplicaDriver } from '../../replication/replica-driver.js';
import { choiceParameter, integerParameter, parseQuery, type Query } from '../http/query.js';
import { notCaughtUp } from '../http/session-gate.js';
import type { Tokens } from '../http/tokens.js';
import type { Batch, BatchReader, Selection } from './batch.js';
import type { ChangeHub } from './change-hub.js';
import { EventStream, writeStreamHead } from './event-stream.js';
import { HubReader } from './hub-reader.js';

export const FEEDS = ['poll', 'longpoll', 'eventsource'] as const;

export const LIMIT = 100;
export const LIMIT_MAX = 1000;

/** How long a replica may take to come to the cursor, and a long poll to have something to tell. */
export const TIMEOUT_MS = { poll: 5000, longpoll: 30_000, eventsource: 5000 } as const;
export const TIMEOUT_MS_MAX = 60_000;

/** A client that waits for its cursor is looked for this often: one that has left keeps its place no longer. */
const LOOK_EVERY_MS = 500;

const PARAMETERS = ['since', 'prefix', 'limit', 'values', 'feed', 'timeout'];

export class ChangesHandler {
  constructor(
    private readonly driver: ReplicaDriver,
    private readonly tokens: Tokens,
    private readonly parts: {
      readonly feed: ChangeFeed;
      readonly batches: BatchReader;
      readonly hub: ChangeHub;
      readonly served: (entries: number) => void;
    },
  ) {}

  async handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const query = parseQuery(req.url!, PARAMETERS);
    const feed = choiceParameter(query, 'feed', FEEDS) ?? 'poll';
    const selection = selectionOf(query);
    const timeoutMs = integerParameter(query, 'timeout', TIMEOUT_MS[feed], 0, TIMEOUT_MS_MAX);
    const untilMs = performance.now() + timeoutMs;
    const resumed = feed === 'eventsource' ? req.headers['last-event-id'] : undefined;
    const since = this.cursorOf(typeof resumed === 'string' && resumed !== '' ? resumed : query.get('since'));
    const isHead = req.method === 'HEAD';
    const answer = async (): Promise<void> => {
      await this.comeTo(since, req, timeoutMs);
      // Of a client that has left meanwhile nothing would tell any more, and its reader would be kept for ever.
      if (req.socket.destroyed) return;
      res.setHeader('Cache-Control', 'no-store');
      if (feed === 'eventsource') return this.stream(req, res, since, selection);
      if (feed === 'longpoll' && !isHead) return this.longPoll(res, since, selection, untilMs);
      return this.poll(res, since, selection);
    };
    return feed === 'poll' || isHead ? answer() : this.parts.hub.admit(answer);
  }

  /**
   * Resolves when this replica has seen what cursor and session have, or soon after the client has left. A stream and a
   * long poll have their places until then: no more of them wait than there are places.
   * @throws Problem INVALID_TOKEN, NOT_CAUGHT_UP
   */
  private async comeTo({ clock }: Cursor, { headers, socket }: IncomingMessage, timeoutMs: number): Promise<void> {
    const session = headers['quartet-session'];
    const seen = typeof session === 'string' ? join(clock, this.tokens.parseSession(session)) : clock;
    let leftMs = timeoutMs;
    while (!(await this.driver.covers(seen, Math.min(leftMs, LOOK_EVERY_MS))) && !socket.destroyed) {
      // By turns, not by the time: those that a replica refuses at once, since it stops, are soon over.
      leftMs -= LOOK_EVERY_MS;
      if (leftMs <= 0) throw notCaughtUp(timeoutMs);
    }
  }

  /** @throws Problem INVALID_TOKEN */
  private cursorOf(since: string | undefined): Cursor {
    if (since === undefined || since === '0') return firstCursor(Date.now());
    return since === 'now' ? this.parts.feed.now(Date.now()) : this.tokens.parseCursor(since);
  }

  private async poll(res: ServerResponse, since: Cursor, selection: Selection): Promise<void> {
    this.write(res, await this.parts.batches.read(since, selection));
  }

  private async longPoll(res: ServerResponse, since: Cursor, selection: Selection, untilMs: number): Promise<void> {
    const reader = this.readerAt(since, selection);
    const close = (): void => reader.close();
    const timer = setTimeout(close, Math.max(0, untilMs - performance.now()));
    res.req.socket.once('close', close);
    try {
      const batch = await reader.next();
      if (batch === undefined) await this.poll(res, reader.standing.cursor, selection);
      else this.write(res, batch);
    } finally {
      clearTimeout(timer);
      res.req.socket.off('close', close);
    }
  }

  private async stream(req: IncomingMessage, res: ServerResponse, since: Cursor, selection: Selection): Promise<void> {
    // Before the status: afterwards there is no other way than an event.
    this.parts.feed.check(since);
    writeStreamHead(res);
    if (req.method === 'HEAD') res.end();
    else await new EventStream(res, this.readerAt(since, selection), this.parts.served).follow();
  }

  private readerAt(cursor: Cursor, selection: Selection): HubReader {
    return new HubReader(this.parts.hub, selection, { cursor, token: this.tokens.cursor(cursor) });
  }

  private write(res: ServerResponse, { body, entries, session, token }: Batch): void {
    res.setHeader('Quartet-Cursor', token);
    res.setHeader('Quartet-Session', session);
    res.setHeader('Content-Type', 'application/json');
    res.setHeader('Content-Length', Buffer.byteLength(body));
    res.end(body);
    this.parts.served(entries);
  }
}

function selectionOf(query: Query): Selection {
  return {
    prefix: query.get('prefix') ?? '',
    limit: integerParameter(query, 'limit', LIMIT, 1, LIMIT_MAX),
    wantsValues: choiceParameter(query, 'values', ['true', 'false']) === 'true',
  };
}
