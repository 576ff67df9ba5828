// How does a version vector travel? As a count, then actor and counter of each entry, in the vector's own order.

import type { Actor } from '../clock/dot.js';
import { EMPTY_VECTOR, type VersionVector } from '../clock/version-vector.js';
import { MalformedBytesError, type BinaryReader } from './binary-reader.js';
import type { BinaryWriter } from './binary-writer.js';
import { KnownTexts } from './known-texts.js';

/** 63 characters of a node's name, a dot, and an incarnation of up to 16. */
const ACTORS = new KnownTexts(/^[a-z0-9-]{1,63}\.[a-z0-9]{1,16}$/, 'an actor is not of the form name.incarnation');

export function writeVector(writer: BinaryWriter, vector: VersionVector): void {
  writer.varint(vector.size);
  for (const [actor, counter] of vector) writer.text(actor).varint(counter);
}

/** @throws MalformedBytesError when an actor is no actor, stands twice, or counts from 0 */
export function readVector(reader: BinaryReader): VersionVector {
  const entries = reader.count(2);
  if (entries === 0) return EMPTY_VECTOR;
  const vector = new Map<Actor, number>();
  for (let i = 0; i < entries; i++) {
    const actor = readActor(reader);
    const counter = reader.varint();
    if (counter === 0 || vector.has(actor)) throw new MalformedBytesError(`the entry of ${actor} is not valid`);
    vector.set(actor, counter);
  }
  return vector;
}

/** @throws MalformedBytesError when the text is not `name.incarnation` */
export function readActor(reader: BinaryReader): Actor {
  return reader.knownText(ACTORS);
}
