// What does a container cost that is only passed on? No more than its bytes: of what a replica sends to one that takes over
// all keys, it need not read a version.

import type { Container, Version } from '../clock/container.js';
import type { VersionVector } from '../clock/version-vector.js';
import { BinaryReader } from '../codec/binary-reader.js';
import { readVersions } from './record-codec.js';

export class UnreadContainer implements Container {
  private read: readonly Version[] | undefined;

  constructor(
    /** As `writeVersions` lays them out; the record that they are of has been checked. */
    readonly encodedVersions: Uint8Array,
    readonly context: VersionVector,
  ) {}

  get versions(): readonly Version[] {
    return (this.read ??= readVersions(new BinaryReader(this.encodedVersions)));
  }
}
