// How do members travel, and stand on disk? As a count, then name, address and version of each.

import { NO_MEMBERS, type Members, type Membership } from '../clock/membership.js';
import { MalformedBytesError, type BinaryReader } from './binary-reader.js';
import type { BinaryWriter } from './binary-writer.js';

const NAME = /^[a-z0-9-]{1,63}$/;
const URL_MAX = 300;

/** Whoever is told of a version counts on from it: the node may be forgotten, and may join again. */
const VERSION_MAX = Number.MAX_SAFE_INTEGER - 2;

export function writeMembers(writer: BinaryWriter, members: Members): void {
  writer.varint(members.size);
  for (const [name, { url, version }] of members) writer.text(name).text(url).varint(version);
}

/** @throws MalformedBytesError when a name, an address or a version can't be one, or a name stands twice */
export function readMembers(reader: BinaryReader): Members {
  const count = reader.count(3);
  if (count === 0) return NO_MEMBERS;
  const members = new Map<string, Membership>();
  for (let left = count; left > 0; left--) {
    const name = reader.text();
    const url = reader.text();
    const version = reader.varint();
    if (!NAME.test(name) || members.has(name)) throw new MalformedBytesError('a member has no valid name');
    if (!/^https?:\/\/[\x21-\x7e]+$/.test(url) || url.length > URL_MAX) {
      throw new MalformedBytesError(`the address of ${name} is not valid`);
    }
    if (version > VERSION_MAX) throw new MalformedBytesError(`the version of ${name} is too large`);
    members.set(name, { url, version });
  }
  return members;
}
