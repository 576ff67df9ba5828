// What is asked of a replica with many keys? Any of them, drawn evenly, so that few are asked for twice.

import type { HttpRequest } from '../load.js';
import { draw, keyOf } from '../rows.js';
import type { QuartetTarget } from '../targets/quartet.js';
import { CONNECTIONS, sample, type Sample } from './point.js';

export const VALUE = 'v'.repeat(100);

/** LevelDB merges what is written seconds later: writes are measured for so many times as long as reads. */
export const WRITE_SECONDS_PER_SECOND = 10;

/** More than a replica with many keys answers: the generator must not come back to keys that were asked for a moment ago. */
const READS_PER_SECOND_MAX = 120_000;
const WRITES_PER_SECOND_MAX = 30_000;

export class LoadOfAnyKey {
  /** One draw for all that is measured: from the start again, it would ask for what has just come into a cache. */
  private readonly next: () => number;

  constructor(
    private readonly target: QuartetTarget,
    keys: number,
  ) {
    this.next = draw.below(keys);
  }

  gets(seconds: number): Promise<Sample> {
    const requests = this.paths(seconds * READS_PER_SECOND_MAX).map((path) => ({ method: 'GET' as const, path }));
    return this.sample(requests, seconds);
  }

  puts(seconds: number): Promise<Sample> {
    const drawn = this.paths(seconds * WRITES_PER_SECOND_MAX);
    return this.sample(
      drawn.map((path) => ({ method: 'PUT', path, body: VALUE })),
      seconds,
    );
  }

  private sample(requests: readonly HttpRequest[], seconds: number): Promise<Sample> {
    return sample(this.target, requests, { seconds, connections: CONNECTIONS });
  }

  private paths(count: number): string[] {
    return Array.from({ length: count }, () => `/v1/kv/${keyOf(this.next())}`);
  }
}
