// Which containers need not be fetched from the store? Decoded ones of the keys in use, each as of the newest commit. A view of
// an earlier commit may read those that have not changed since: what is pushed to peers was committed a moment ago.

import { LRUCache } from 'lru-cache';
import { isEmpty, type Container } from '../clock/container.js';
import type { VersionVector } from '../clock/version-vector.js';

const BYTES_MAX = 64 * 1024 * 1024;

/** What a cached container costs beyond its key and values: objects, map entry, strings, the allocator (measured). */
const CACHED_BYTES_MIN = 850;

/** What each further version of it costs beyond its text and value. */
const CACHED_VERSION_BYTES = 200;

/** Of a context of its own, with one actor or a few. */
const CACHED_CONTEXT_BYTES = 400;

interface Cached {
  readonly container: Container;
  /** The number of a commit since which the container has not changed. */
  readonly commit: number;
}

export class ContainerCache {
  private readonly cached = new LRUCache<string, Cached>({ maxSize: BYTES_MAX, sizeCalculation: cachedBytes });

  has(key: string): boolean {
    return this.cached.has(key);
  }

  /** As of the newest commit. */
  get(key: string): Container | undefined {
    return this.cached.get(key)?.container;
  }

  /** As of this commit; undefined: it is not known here. It does not count as a use. */
  asOf(key: string, commit: number): Container | undefined {
    const cached = this.cached.peek(key);
    return cached === undefined || cached.commit > commit ? undefined : cached.container;
  }

  /** The container is so since this commit, or an earlier one. */
  set(key: string, container: Container, commit: number): void {
    if (isEmpty(container)) this.cached.delete(key);
    else this.cached.set(key, { container: owned(container), commit });
  }

  /** The key's versions are as they were, whatever they are. */
  setContext(key: string, context: VersionVector, commit: number): void {
    const cached = this.cached.peek(key);
    if (cached !== undefined) this.set(key, { versions: cached.container.versions, context }, commit);
  }
}

/** A value that is a small part of its buffer, of a message say, would keep all of it in memory: it is copied. */
function owned(container: Container): Container {
  if (container.versions.every(({ value }) => isWhole(value))) return container;
  const versions = container.versions.map((version) =>
    isWhole(version.value) ? version : { ...version, value: new Uint8Array(version.value) },
  );
  return { versions, context: container.context };
}

function isWhole(value: Uint8Array): boolean {
  return value.length * 2 >= value.buffer.byteLength;
}

/** What it takes in memory, roughly. */
function cachedBytes({ container }: Cached, key: string): number {
  let bytes = CACHED_BYTES_MIN + key.length * 2 + (container.context.size > 0 ? CACHED_CONTEXT_BYTES : 0);
  for (const { part, value } of container.versions) bytes += part.length * 2 + value.length;
  return bytes + Math.max(0, container.versions.length - 1) * CACHED_VERSION_BYTES;
}
