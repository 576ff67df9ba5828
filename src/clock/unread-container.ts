// What does a container cost that is only passed on? No more than its bytes: of what a replica sends to one that takes over
// all keys, it need not read a version.

import type { Container, Version } from './container.js';
import type { VersionVector } from './version-vector.js';

export class UnreadContainer implements Container {
  private known: readonly Version[] | undefined;

  constructor(
    /** As they stand in records and messages; they have been checked. */
    readonly encodedVersions: Uint8Array,
    readonly context: VersionVector,
    private readonly read: (encodedVersions: Uint8Array) => readonly Version[],
  ) {}

  get versions(): readonly Version[] {
    return (this.known ??= this.read(this.encodedVersions));
  }
}
