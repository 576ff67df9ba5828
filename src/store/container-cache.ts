// Which containers need not be fetched from the store? Those of the keys in use, each as of the newest commit. A view of an earlier
// commit may read those that have not changed since: what is pushed to peers was committed a moment ago.

import { isEmpty, type Container } from '../clock/container.js';
import type { UnreadContainer } from '../clock/unread-container.js';
import type { VersionVector } from '../clock/version-vector.js';
import { BinaryReader } from '../codec/binary-reader.js';
import { BinaryWriter } from '../codec/binary-writer.js';
import { readVector, writeVector } from '../codec/vector-codec.js';
import { writeVersionsOf } from '../codec/versions-codec.js';
import { ByteCache } from './byte-cache.js';
import { unreadContainer } from './record-codec.js';

const BYTES_MAX = 64 * 1024 * 1024;

const writer = new BinaryWriter(4096);

/** Of each key the number of a commit since which its container has not changed, its context and its versions. */
export class ContainerCache {
  private readonly cached = new ByteCache(BYTES_MAX);

  has(key: string): boolean {
    return this.cached.has(key);
  }

  /** As of the newest commit. */
  get(key: string): Container | undefined {
    const bytes = this.cached.get(key);
    return bytes && read(bytes).container;
  }

  /** As of this commit; undefined: it is not known here. It does not count as a use. */
  asOf(key: string, commit: number): Container | undefined {
    const bytes = this.cached.peek(key);
    if (bytes === undefined) return undefined;
    const cached = read(bytes);
    return cached.commit > commit ? undefined : cached.container;
  }

  /** The container is so since this commit, or an earlier one. */
  set(key: string, container: Container, commit: number): void {
    if (isEmpty(container)) return this.cached.delete(key);
    writer.clear();
    writer.varint(commit);
    writeVector(writer, container.context);
    writeVersionsOf(writer, container);
    this.cached.set(key, writer.view());
  }

  /** The key's versions are as they were, whatever they are. */
  setContext(key: string, context: VersionVector, commit: number): void {
    const bytes = this.cached.peek(key);
    if (bytes !== undefined) this.set(key, unreadContainer(read(bytes).container.encodedVersions, context), commit);
  }
}

function read(bytes: Buffer): { commit: number; container: UnreadContainer } {
  const reader = new BinaryReader(bytes);
  const commit = reader.varint();
  const context = readVector(reader);
  return { commit, container: unreadContainer(reader.raw(reader.remaining), context) };
}
