// How does a reader get changes as they happen? As server-sent events: one event for each batch, whose id is the cursor. A
// reader that is slow has one batch on its way at most; what changes meanwhile comes in the next one, each key once.

import type { ServerResponse } from 'node:http';
import { deliver, STALLED_MS_MAX } from '../http/drained.js';
import { problemBody } from '../http/problem.js';
import { problemOf } from '../http/send-problem.js';
import type { HubReader } from './hub-reader.js';

/** Shorter than the minute after which proxies take a connection for dead. */
const HEARTBEAT_MS = 15_000;

/** What a reader waits before it connects again. */
const RETRY_MS = 1000;

export class EventStream {
  private hasWritten = false;

  constructor(
    private readonly res: ServerResponse,
    private readonly reader: HubReader,
    private readonly served: (entries: number) => void,
    private readonly stalledMsMax = STALLED_MS_MAX,
  ) {}

  /** Ends when the reader has left, is cut off, or has to list, and when the replica stops. */
  async follow(): Promise<void> {
    const { reader, res } = this;
    const heartbeat = setInterval(() => this.beat(), HEARTBEAT_MS);
    const close = (): void => reader.close();
    res.req.socket.once('close', close);
    try {
      // With the cursor, for who loses the connection before anything has happened: it would go on from then, not from here.
      res.write(`retry: ${RETRY_MS}\nid: ${reader.token}\n\n`);
      await this.pump();
    } catch (error) {
      // The status is long out: the reader is told in an event, and once more when it comes back.
      res.write(`event: problem\ndata: ${problemBody(problemOf(error))}\n\n`);
    } finally {
      clearInterval(heartbeat);
      res.req.socket.off('close', close);
      res.end();
    }
  }

  private async pump(): Promise<void> {
    for (let batch = await this.reader.next(); batch !== undefined; batch = await this.reader.next()) {
      this.hasWritten = true;
      this.served(batch.entries);
      if (!(await deliver(this.res, batch.event, this.stalledMsMax))) return;
    }
  }

  /** Keeps the connection alive, and the reader's cursor young: without data it is no event, but its id counts. */
  private beat(): void {
    // Never into the middle of an event: while the rest of it waits, the client owes a drain.
    if (!this.hasWritten && !this.res.writableNeedDrain) this.res.write(`id: ${this.reader.token}\n\n`);
    this.hasWritten = false;
  }
}

export function writeStreamHead(res: ServerResponse): void {
  res.setHeader('Content-Type', 'text/event-stream');
  // Told to proxies that would gather events otherwise.
  res.setHeader('X-Accel-Buffering', 'no');
}
