// What does a client see of one replica? Its HTTP interface and nothing else, over connections that are kept.

import { createHash } from 'node:crypto';
import { Agent, request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface RequestOptions {
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
  readonly timeoutMs?: number;
}

/** One line of the listing. */
export interface Entry {
  readonly key: string;
  readonly etag: string;
  readonly siblings: number;
  readonly value: string;
}

export interface Sibling {
  readonly dot: string;
  readonly value: string;
}

/** What a replica holds: how many live keys, and SHA-256 of all keys, values, content types and entity tags. */
export interface Digest {
  readonly keys: number;
  readonly sha256: string;
}

const TIMEOUT_MS = 15_000;

export class ReplicaClient {
  private readonly agent: Agent;

  constructor(
    readonly url: string,
    { sockets = 64 }: { sockets?: number } = {},
  ) {
    this.agent = new Agent({ keepAlive: true, maxSockets: sockets });
  }

  close(): void {
    this.agent.destroy();
  }

  /** Any status is an answer; an Error means that none came. */
  async request(method: string, path: string, options: RequestOptions = {}): Promise<Answer> {
    const response = await this.open(method, path, options);
    const pieces: Buffer[] = [];
    for await (const piece of response) pieces.push(piece as Buffer);
    return { status: response.statusCode!, headers: response.headers, body: Buffer.concat(pieces) };
  }

  get(key: string): Promise<Answer> {
    return this.request('GET', pathOf(key));
  }

  /** Resolves once the write is acknowledged. @throws when the answer is anything else, or none comes */
  async put(key: string, value: string | Buffer, headers: Record<string, string> = {}): Promise<Answer> {
    const answer = await this.request('PUT', pathOf(key), { body: value, headers });
    if (![200, 201, 204].includes(answer.status)) throw new Error(`PUT ${key}: ${describe(answer)}`);
    return answer;
  }

  /** Like `put`. */
  async delete(key: string): Promise<Answer> {
    const answer = await this.request('DELETE', pathOf(key));
    if (answer.status !== 204) throw new Error(`DELETE ${key}: ${describe(answer)}`);
    return answer;
  }

  /** All living versions of a key, the winner first; none when it was deleted or never written. */
  async siblings(key: string): Promise<readonly Sibling[]> {
    const answer = await this.request('GET', `${pathOf(key)}?siblings=all`);
    if (answer.status === 404) return [];
    if (answer.status !== 200 && answer.status !== 300) throw new Error(`GET ${key}: ${describe(answer)}`);
    return (JSON.parse(answer.body.toString()) as { siblings: Sibling[] }).siblings;
  }

  /** The replica's clock as text: equal texts, equal clocks. */
  async clock(): Promise<string> {
    const answer = await this.request('GET', '/v1/cluster');
    const { clock } = JSON.parse(answer.body.toString()) as { clock: Record<string, number> };
    return JSON.stringify(Object.entries(clock).sort());
  }

  /** Every live key with its value, in the order of the keys' bytes. */
  async *list(prefix = ''): AsyncGenerator<Entry> {
    const response = await this.openList(prefix);
    for await (const line of createInterface({ input: response, crlfDelay: Infinity })) yield JSON.parse(line) as Entry;
  }

  /** Of the listing as it is sent, byte for byte. */
  async digest(): Promise<Digest> {
    const hash = createHash('sha256');
    let keys = 0;
    for await (const piece of await this.openList('')) {
      hash.update(piece as Buffer);
      for (const byte of piece as Buffer) if (byte === NEWLINE) keys++;
    }
    return { keys, sha256: hash.digest('hex') };
  }

  private async openList(prefix: string): Promise<IncomingMessage> {
    const path = `/v1/kv?values=true&prefix=${encodeURIComponent(prefix)}`;
    const response = await this.open('GET', path, { headers: { Accept: 'application/x-ndjson' } });
    if (response.statusCode !== 200) throw new Error(`GET ${path}: ${response.statusCode}`);
    return response;
  }

  private open(method: string, path: string, options: RequestOptions): Promise<IncomingMessage> {
    const { headers = {}, body, timeoutMs = TIMEOUT_MS } = options;
    return new Promise((resolve, reject) => {
      const outgoing = request(
        `${this.url}${path}`,
        { method, agent: this.agent, headers, timeout: timeoutMs },
        resolve,
      );
      outgoing.on('timeout', () => outgoing.destroy(new Error(`${method} ${path}: no answer in ${timeoutMs} ms`)));
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }
}

const NEWLINE = 0x0a;

function pathOf(key: string): string {
  return `/v1/kv/${encodeURIComponent(key)}`;
}

function describe({ status, body }: Answer): string {
  return `${status} ${body.toString().slice(0, 300)}`;
}
