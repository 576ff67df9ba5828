// Who follows the changes through all trouble? A client that goes from replica to replica with its cursor, by polls, long
// polls and streams, and keeps of each key what it was told last. It lists when it is told to, and goes on.

import type { Prng } from '../simulation/prng.js';
import { ChangeStream, type ChangeBatch, type ChangeEntry } from './change-client.js';
import type { ProcessCluster } from './process-cluster.js';
import type { ReplicaClient } from './process-client.js';

/** Refusals in a row after which what the cursor has seen is taken for lost with a disk. */
const REFUSALS_MAX = 60;

const REST_MS = 50;

const FEEDS = ['poll', 'longpoll', 'eventsource'] as const;

export interface Followed {
  hops: number;
  entries: number;
  refusals: number;
  unanswered: number;
  listings: number;
}

export class HoppingReader {
  /** By key, the entity tag of what it was told last; deleted keys are not there. */
  readonly state = new Map<string, string>();
  readonly followed: Followed = { hops: 0, entries: 0, refusals: 0, unanswered: 0, listings: 0 };
  private cursor = '0';
  private refusalsInARow = 0;
  private isStopping = false;
  private loop: Promise<void> = Promise.resolve();

  constructor(
    private readonly cluster: ProcessCluster,
    private readonly prng: Prng,
    /** Between two looks. */
    private readonly restMs = REST_MS,
  ) {}

  start(): void {
    this.loop = this.follow();
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    await this.loop;
  }

  /** Everything that this replica has to tell. @returns how many entries that were */
  async readAll(client: ReplicaClient): Promise<number> {
    for (let entries = 0; ;) {
      const batch = await this.poll(client, 'poll');
      if (batch === undefined) await rest(REST_MS);
      else if (((entries += batch.entries.length), batch.pending === 0)) return entries;
    }
  }

  private async follow(): Promise<void> {
    while (!this.isStopping) {
      const client = this.prng.pick(this.cluster.clients);
      const feed = this.prng.pick(FEEDS);
      this.followed.hops++;
      try {
        if (feed === 'eventsource') await this.stream(client);
        else await this.poll(client, feed);
      } catch {
        // Killed, cut off or not there: the next one, with the same cursor.
        this.followed.unanswered++;
      }
      await rest(this.restMs);
    }
  }

  private async poll(client: ReplicaClient, feed: string): Promise<ChangeBatch | undefined> {
    const query = `since=${this.cursor}&feed=${feed}&limit=${this.prng.between(1, 4)}&timeout=200`;
    const { status, body } = await client.request('GET', `/v1/changes?${query}`);
    if (status !== 200) {
      await this.refused(client, status, body.toString());
      return undefined;
    }
    const batch = JSON.parse(body.toString()) as ChangeBatch;
    this.take(batch);
    return batch;
  }

  private async stream(client: ReplicaClient): Promise<void> {
    const url = `${client.url}/v1/changes?feed=eventsource&limit=4&timeout=200`;
    const headers: Record<string, string> = this.cursor === '0' ? {} : { 'Last-Event-ID': this.cursor };
    const stream = await ChangeStream.open(url, headers).catch((error: unknown) => {
      const status = Number((error as Error).message);
      if (!(status > 0)) throw error;
      return status;
    });
    if (typeof stream === 'number') return this.refused(client, stream, '');
    const over = setTimeout(() => stream.close(), this.prng.between(50, 500));
    try {
      for (let event = await stream.next(); event !== undefined; event = await stream.next()) {
        if (event.event === 'problem') return;
        this.take(JSON.parse(event.data!) as ChangeBatch);
      }
    } finally {
      clearTimeout(over);
      stream.close();
    }
  }

  private take({ cursor, entries }: ChangeBatch): void {
    this.refusalsInARow = 0;
    this.cursor = cursor;
    this.followed.entries += entries.length;
    for (const { key, op, etag } of entries) {
      if (op === 'put') this.state.set(key, etag!);
      else this.state.delete(key);
    }
  }

  private async refused(client: ReplicaClient, status: number, body: string): Promise<void> {
    if (status !== 410 && status !== 503) throw new Error(`the change feed answers ${status} ${body}`);
    this.followed.refusals++;
    if (status === 410 || ++this.refusalsInARow > REFUSALS_MAX) await this.list(client);
  }

  /** Everything anew: what is not listed is gone. */
  private async list(client: ReplicaClient): Promise<void> {
    const listed = new Map<string, string>();
    const { status, body } = await client.request('GET', '/v1/kv?limit=1000');
    if (status !== 200) return;
    const { cursor, entries, next } = JSON.parse(body.toString()) as {
      cursor: string;
      entries: readonly ChangeEntry[];
      next: string | null;
    };
    if (next !== null) throw new Error('more keys than one page has');
    for (const { key, etag } of entries) listed.set(key, etag!);
    this.state.clear();
    for (const [key, etag] of listed) this.state.set(key, etag);
    this.cursor = cursor;
    this.refusalsInARow = 0;
    this.followed.listings++;
  }
}

function rest(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
