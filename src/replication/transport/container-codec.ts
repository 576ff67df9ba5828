// How do the containers of a message look on the wire, and what must hold of them?

import type { Container } from '../../clock/container.js';
import { counterOf, join, type VersionVector } from '../../clock/version-vector.js';
import { MalformedBytesError, type BinaryReader } from '../../codec/binary-reader.js';
import type { BinaryWriter } from '../../codec/binary-writer.js';
import { readVector, writeVector } from '../../codec/vector-codec.js';
import { readVersions, writeVersionsOf } from '../../codec/versions-codec.js';

export const KEY_BYTES_MAX = 1024;

export function writeContainers(writer: BinaryWriter, containers: ReadonlyMap<string, Container>): void {
  writer.varint(containers.size);
  for (const [key, container] of containers) {
    writer.text(key);
    writeVersionsOf(writer, container);
    writeVector(writer, container.context);
  }
}

/** @throws MalformedBytesError */
export function readContainers(reader: BinaryReader, clock: VersionVector): Map<string, Container> {
  const containers = new Map<string, Container>();
  for (let left = reader.count(4); left > 0; left--) {
    const key = readKey(reader);
    if (containers.has(key)) throw new MalformedBytesError('a key stands twice in a message');
    const container = { versions: readVersions(reader), context: readVector(reader) };
    checkContainer(container, clock);
    containers.set(key, container);
  }
  return containers;
}

/** @throws MalformedBytesError */
export function readKey(reader: BinaryReader): string {
  const key = reader.text();
  if (key === '' || Buffer.byteLength(key) > KEY_BYTES_MAX) throw new MalformedBytesError('a key has no valid length');
  return key;
}

/**
 * The rules of a container: dots in order, none twice, and each of them covered by the filled context.
 * @throws MalformedBytesError
 */
export function checkContainer({ versions, context }: Container, clock: VersionVector): void {
  const seen = join(clock, context);
  for (let place = 0; place < versions.length; place++) {
    const version = versions[place]!;
    const previous = versions[place - 1];
    const isInOrder =
      previous === undefined ||
      previous.actor < version.actor ||
      (previous.actor === version.actor && previous.counter < version.counter);
    if (!isInOrder || version.counter === 0 || version.counter > counterOf(seen, version.actor)) {
      throw new MalformedBytesError('a container breaks the order or the bounds of its dots');
    }
  }
}
