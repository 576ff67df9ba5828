// What does a decoded container cost in memory, and what does it keep there?

import type { Container } from '../clock/container.js';

/** What a cached container costs beyond its key and values: objects, map entry, strings, the allocator (measured). */
const CACHED_BYTES_MIN = 1000;

/** What each further version of it costs beyond its text and value. */
const CACHED_VERSION_BYTES = 200;

/** A value that is a small part of its buffer, of a message say, would keep all of it in memory: it is copied. */
export function owned(container: Container): Container {
  if (container.versions.every(({ value }) => isWhole(value))) return container;
  const versions = container.versions.map((version) =>
    isWhole(version.value) ? version : { ...version, value: new Uint8Array(version.value) },
  );
  return { versions, context: container.context };
}

function isWhole(value: Uint8Array): boolean {
  return value.length * 2 >= value.buffer.byteLength;
}

/** What it takes in the cache, roughly. */
export function cachedBytes(container: Container, key: string): number {
  let bytes = CACHED_BYTES_MIN + key.length * 2;
  for (const { part, value } of container.versions) bytes += part.length * 2 + value.length;
  return bytes + Math.max(0, container.versions.length - 1) * CACHED_VERSION_BYTES;
}
