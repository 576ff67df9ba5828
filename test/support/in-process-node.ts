// How does a test of the whole replica get one? Real sockets on the loopback, a real database in a folder of its own, in
// the process of the test; stopped, started again and removed at will.

import 'reflect-metadata';
import { rm } from 'node:fs/promises';
import { startApplication, type Application } from '../../src/application.js';
import { loadConfig, type Config } from '../../src/config/config.js';
import { standStillNowAndThen } from './jitter.js';
import { temporaryFolder, type TemporaryFolder } from './temporary-folder.js';

standStillNowAndThen();

export interface RequestOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
}

/** What a client may say with a read or a write, by the names of the interface. */
export interface KeyOptions {
  readonly context?: string | undefined;
  readonly session?: string | undefined;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Behind the question mark. */
  readonly query?: string;
}

export interface WriteBody {
  readonly key: string;
  readonly dot: string;
  readonly context: string;
  readonly session: string;
  readonly siblings: number;
  readonly acks: number;
}

export interface Sibling {
  readonly dot: string;
  readonly time: string;
  readonly type: string;
  /** Of a set or a map. */
  readonly part?: string;
  /** Of a value with a lifetime. */
  readonly expires?: string;
  readonly contentType: string;
  readonly value?: string;
  readonly base64?: string;
}

export interface SiblingsBody {
  readonly key: string;
  readonly type: string;
  readonly context: string;
  readonly session: string;
  readonly siblings: readonly Sibling[];
}

/** A line of the listing with values. */
export interface Entry {
  readonly key: string;
  readonly etag: string;
  readonly siblings: number;
  readonly value: string;
}

export interface ClusterBody {
  readonly name: string;
  readonly actor: string;
  readonly clock: Readonly<Record<string, number>>;
  readonly standing: string;
  readonly members: readonly string[];
  readonly peers: readonly {
    readonly name: string;
    readonly url: string;
    readonly state: string;
    readonly lagDots: number;
    readonly lagSeconds: number;
    readonly missingDots: number;
    readonly problem: string | null;
  }[];
  readonly log: { readonly entries: number };
  readonly catchUp: {
    readonly isOver: boolean;
    readonly missingDots: number;
    readonly bootstrapsFrom: string | null;
  };
}

/** What a replica is started with besides its environment: things that no variable sets. */
export type Overrides = Partial<Config>;

export class InProcessNode {
  private application: Application | undefined;
  /** What made the replica stop by itself. */
  readonly failures: unknown[] = [];

  private constructor(
    private readonly folder: TemporaryFolder,
    readonly config: Config,
  ) {}

  /** Without peers, without limits on the disk, on a free port; its log is kept for peers only. */
  static async start(overrides: Overrides = {}): Promise<InProcessNode> {
    const folder = await temporaryFolder();
    const name = overrides.name ?? 'n1';
    const defaults = await loadConfig({
      QUARTET_NAME: name,
      QUARTET_DATA: `${folder.path}/${name}`,
      QUARTET_DISK_FREE_MIN_BYTES: '0',
      QUARTET_FEED_RETENTION_SECONDS: '0',
    });
    const node = new InProcessNode(folder, { ...defaults, port: 0, ...overrides });
    try {
      await node.restart();
    } catch (error) {
      await folder.remove();
      throw error;
    }
    return node;
  }

  get name(): string {
    return this.config.name;
  }

  get isRunning(): boolean {
    return this.application !== undefined;
  }

  get port(): number {
    if (this.application === undefined) throw new Error(`${this.name} is not running`);
    return this.application.port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Stops it if it runs, and starts it from what is on its disk, perhaps set up differently. */
  async restart(overrides: Overrides = {}): Promise<void> {
    await this.stop();
    this.application = await startApplication(
      { ...this.config, ...overrides },
      { logger: false, onStopped: (error) => void this.failures.push(error) },
    );
  }

  async stop(): Promise<void> {
    const { application } = this;
    this.application = undefined;
    await application?.close();
  }

  /** Stops it, and deletes its data, as a new disk in its place would have none. */
  async wipe(): Promise<void> {
    await this.stop();
    await rm(this.config.data, { recursive: true });
  }

  /** Stops it for good and removes its folder. */
  async remove(): Promise<void> {
    await this.stop();
    await this.folder.remove();
  }

  request(path: string, options: RequestOptions = {}): Promise<Response> {
    return fetch(`${this.url}${path}`, options as RequestInit);
  }

  get(key: string, options: KeyOptions = {}): Promise<Response> {
    return this.request(keyPath(key, options), { headers: headersOf(options) });
  }

  head(key: string, options: KeyOptions = {}): Promise<Response> {
    return this.request(keyPath(key, options), { method: 'HEAD', headers: headersOf(options) });
  }

  put(key: string, value: string | Uint8Array<ArrayBuffer>, options: KeyOptions = {}): Promise<Response> {
    return this.request(keyPath(key, options), { method: 'PUT', headers: headersOf(options), body: value });
  }

  delete(key: string, options: KeyOptions = {}): Promise<Response> {
    return this.request(keyPath(key, options), { method: 'DELETE', headers: headersOf(options) });
  }

  /** The answer of a write that is taken; anything else is an error. */
  async write(key: string, value: string, options: KeyOptions = {}): Promise<WriteBody> {
    const response = await this.put(key, value, options);
    if (response.status !== 200 && response.status !== 201) {
      throw new Error(`PUT ${key}: ${response.status} ${await response.text()}`);
    }
    return (await response.json()) as WriteBody;
  }

  async siblings(key: string, options: KeyOptions = {}): Promise<SiblingsBody> {
    const query = ['siblings=all', options.query].filter(Boolean).join('&');
    const response = await this.get(key, { ...options, query });
    if (response.status !== 200 && response.status !== 300) {
      throw new Error(`GET ${key}: ${response.status} ${await response.text()}`);
    }
    return (await response.json()) as SiblingsBody;
  }

  async cluster(): Promise<ClusterBody> {
    return (await (await this.request('/v1/cluster')).json()) as ClusterBody;
  }

  /** The lines of `/readyz?verbose`, by the name of the check: `+ word` or `- word`. */
  async readiness(): Promise<{ readonly isReady: boolean; readonly checks: Readonly<Record<string, string>> }> {
    const response = await this.request('/readyz?verbose');
    const lines = [...(await response.text()).matchAll(/^\[(.)\] (.+?): (.*)$/gm)];
    const checks = Object.fromEntries(lines.map(([, sign, name, detail]) => [name!, `${sign} ${detail}`]));
    return { isReady: response.status === 200, checks };
  }

  /** A figure of `/metrics` that has no labels but the node's. */
  async metric(name: string): Promise<number> {
    const text = await (await this.request('/metrics')).text();
    const figure = new RegExp(`^${name}\\{node="${this.name}"\\} (\\S+)$`, 'm').exec(text)?.[1];
    if (figure === undefined) throw new Error(`${this.name} has no metric ${name}`);
    return Number(figure);
  }

  /** Every live key with its value and entity tag, in order. */
  async listing(): Promise<readonly Entry[]> {
    const response = await this.request('/v1/kv?values=true', { headers: { Accept: 'application/x-ndjson' } });
    const lines = (await response.text()).split('\n').filter((line) => line !== '');
    return lines.map((line) => JSON.parse(line) as Entry);
  }

  /** How many write events it knows, by actor. */
  async clock(): Promise<Readonly<Record<string, number>>> {
    return (await this.cluster()).clock;
  }
}

export function keyPath(key: string, { query }: Pick<KeyOptions, 'query'> = {}): string {
  return `/v1/kv/${encodeURIComponent(key)}${query === undefined || query === '' ? '' : `?${query}`}`;
}

function headersOf({ context, session, contentType, headers }: KeyOptions): Record<string, string> {
  const all: Record<string, string> = { ...headers };
  if (contentType !== undefined) all['Content-Type'] = contentType;
  if (context !== undefined) all['Quartet-Context'] = context;
  if (session !== undefined) all['Quartet-Session'] = session;
  return all;
}

/** The token of an answer's header; missing, the test is wrong or the replica is. */
export function contextOf(response: Response): string {
  return required(response, 'Quartet-Context');
}

export function sessionOf(response: Response): string {
  return required(response, 'Quartet-Session');
}

function required(response: Response, name: string): string {
  const value = response.headers.get(name);
  if (value === null) throw new Error(`${response.status} from ${response.url} has no ${name}`);
  return value;
}
