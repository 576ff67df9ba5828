// How is a store asked over HTTP? In its own dialect, by the generator that all of them get.

import { generate } from '../generators/generate.js';
import type { HttpRequest, Measurement } from '../load.js';
import { BATCH_KEYS, draw, LIST_KEYS, type Sizes } from '../rows.js';
import type { RowId, Target } from './target.js';

/** The requests of one store. Keys are ASCII without slashes. */
export interface Dialect {
  get(key: string): HttpRequest;
  put(key: string, value: string): HttpRequest;
  putMajority?(key: string, value: string): HttpRequest;
  batch?(keys: readonly string[], value: string): HttpRequest;
  list?(after: string, count: number): HttpRequest;
  add?(key: string): HttpRequest;
  /** Whether a key can be written again without having been read. False: each write gets a key of its own. */
  readonly canOverwrite: boolean;
}

export interface Server {
  readonly id: string;
  readonly title: string;
  readonly settings: string;
  readonly urls: readonly string[];
  readonly pids: readonly number[];
  readonly folders: readonly string[];
  stop(): Promise<void>;
}

export class HttpTarget implements Target {
  readonly id: string;
  readonly title: string;
  readonly settings: string;
  readonly replicas: number;
  readonly pids: readonly number[];
  readonly folders: readonly string[];
  readonly rows: readonly RowId[];
  private fresh = 0;

  constructor(
    private readonly server: Server,
    private readonly dialect: Dialect,
    private readonly sizes: Sizes,
    rows: readonly RowId[],
  ) {
    ({ id: this.id, title: this.title, settings: this.settings, pids: this.pids, folders: this.folders } = server);
    this.replicas = server.urls.length;
    this.rows = rows;
  }

  async load(): Promise<void> {
    const { keys, largeKeys, bytes, largeBytes } = this.sizes;
    await this.once(keys.map((key) => this.dialect.put(key, value(bytes))));
    if (this.rows.includes('get-large')) {
      await this.once(largeKeys.map((key) => this.dialect.put(key, value(largeBytes))));
    }
  }

  measure(row: RowId, seconds: number): Promise<Measurement> {
    const { connections } = this.sizes;
    return generate({ urls: this.server.urls, connections, requests: this.requestsOf(row), seconds });
  }

  stop(): Promise<void> {
    return this.server.stop();
  }

  /** In an order that no cache could guess, the same for every target and repeat. */
  private requestsOf(row: RowId): readonly HttpRequest[] {
    const { dialect, sizes } = this;
    const { keys, largeKeys, bytes } = sizes;
    const of = (make: (key: string) => HttpRequest): HttpRequest[] => draw.evenly(keys).map(make);
    switch (row) {
      case 'get':
        return of((key) => dialect.get(key));
      case 'get-large':
        return draw.evenly(largeKeys).map((key) => dialect.get(key));
      case 'put':
        return of((key) => dialect.put(dialect.canOverwrite ? key : this.freshKey(key), value(bytes)));
      case 'put-majority':
        return of((key) => dialect.putMajority!(key, value(bytes)));
      case 'mixed':
        return draw
          .zipf(keys)
          .map((key, place) => (place % 20 === 0 ? dialect.put(key, value(bytes)) : dialect.get(key)));
      case 'list':
        return draw.few(keys).map((key) => dialect.list!(key, LIST_KEYS));
      case 'batch':
        return draw.groups(keys, BATCH_KEYS).map((group) => dialect.batch!(group, value(bytes)));
      case 'counter':
        return draw.few(keys).map((key) => dialect.add!(`counter-${key}`));
    }
  }

  private once(requests: readonly HttpRequest[]): Promise<Measurement> {
    const { connections } = this.sizes;
    const mayRefuse = !this.dialect.canOverwrite;
    return generate({ urls: this.server.urls, connections, requests, seconds: undefined, mayRefuse });
  }

  private freshKey(key: string): string {
    return `${key}-${++this.fresh}`;
  }
}

function value(bytes: number): string {
  return 'v'.repeat(bytes);
}
