// How does a batch look on the wire? Each key once, with its container; ranges name keys by their place in that list. What is
// read is checked in full: a batch that breaks a rule is no batch.

import type { LoggedRequest } from '../../clock/request.js';
import { counterOf, descends, type VersionVector } from '../../clock/version-vector.js';
import { MalformedBytesError, type BinaryReader } from '../../codec/binary-reader.js';
import type { BinaryWriter } from '../../codec/binary-writer.js';
import { readLoggedRequest, writeLoggedRequest } from '../../codec/request-codec.js';
import { readActor, readVector, writeVector } from '../../codec/vector-codec.js';
import { rangeEnd, type Batch, type DotRange, type Exact } from '../engine/messages.js';
import { checkContainer, readContainers, writeContainers } from './container-codec.js';

/** The least that one takes: its name, with its length, and a number. */
export const REQUEST_BYTES_MIN = 26;

/** Dots of one batch: several times what a replica sends, and little enough to be applied in one step. */
const DOTS_MAX = 10_000;

export function writeBatch(writer: BinaryWriter, { clock, containers, ranges, exact, past }: Batch): void {
  writeVector(writer, clock);
  writeContainers(writer, containers);
  const places = new Map<string, number>();
  for (const key of containers.keys()) places.set(key, places.size);
  writer.varint(ranges.length);
  for (const { actor, from, keys, requests } of ranges) {
    writer.text(actor).varint(from).varint(keys.length);
    for (const key of keys) writer.varint(places.get(key)!);
    writer.varint(requests?.size ?? 0);
    for (const [counter, request] of requests ?? []) writeLoggedRequest(writer.varint(counter - from), request);
  }
  writeExact(writer, exact, containers);
  writeVector(writer, past);
}

/** As its clock, and the places of the keys that are *not* exact: they are the fewer. */
function writeExact(writer: BinaryWriter, exact: Exact | undefined, containers: Batch['containers']): void {
  writer.byte(exact === undefined ? 0 : 1);
  if (exact === undefined) return;
  writeVector(writer, exact.clock);
  const others: number[] = [];
  let place = 0;
  for (const key of containers.keys()) {
    if (!exact.keys.has(key)) others.push(place);
    place++;
  }
  writer.varint(others.length);
  for (const other of others) writer.varint(other);
}

function readExact(
  reader: BinaryReader,
  { clock, containers }: Pick<Batch, 'clock' | 'containers'>,
): Exact | undefined {
  if (reader.byte() === 0) return undefined;
  const exact = { clock: readVector(reader), keys: new Set(containers.keys()) };
  if (!descends(clock, exact.clock)) throw new MalformedBytesError('an exact clock goes beyond that of its batch');
  const keys = [...containers.keys()];
  for (let left = reader.count(1); left > 0; left--) {
    const key = keys[reader.varint()];
    if (key === undefined || !exact.keys.delete(key))
      throw new MalformedBytesError('no key is at a place that is not exact');
  }
  for (const key of exact.keys) checkContainer(containers.get(key)!, exact.clock);
  return exact;
}

/** @throws MalformedBytesError */
export function readBatch(reader: BinaryReader): Batch {
  const clock = readVector(reader);
  const containers = readContainers(reader, clock);
  const keys = [...containers.keys()];
  const ranges: DotRange[] = [];
  for (let left = reader.count(3); left > 0; left--) ranges.push(readRange(reader, keys, clock));
  const dots = ranges.reduce((sum, range) => sum + range.keys.length, 0);
  if (dots > DOTS_MAX) throw new MalformedBytesError(`a batch has ${dots} dots; at most ${DOTS_MAX}`);
  if (new Set(ranges.map((range) => range.actor)).size < ranges.length) {
    throw new MalformedBytesError('two ranges of a batch have the same actor');
  }
  return { clock, ranges, containers, exact: readExact(reader, { clock, containers }), past: readVector(reader) };
}

function readRange(reader: BinaryReader, keys: readonly string[], clock: VersionVector): DotRange {
  const range = { actor: readActor(reader), from: reader.varint(), keys: [] as string[] };
  for (let left = reader.count(1); left > 0; left--) {
    const key = keys[reader.varint()];
    if (key === undefined) throw new MalformedBytesError('a range names a key that is not in its batch');
    range.keys.push(key);
  }
  // A sender knows what it sends: a range beyond its own clock would make the receiver's clock claim too much.
  if (rangeEnd(range) > counterOf(clock, range.actor)) throw new MalformedBytesError('a range goes beyond its clock');
  const requests = readRequests(reader, range);
  return requests === undefined ? range : { ...range, requests };
}

function readRequests(reader: BinaryReader, range: DotRange): DotRange['requests'] {
  const count = reader.count(REQUEST_BYTES_MIN);
  if (count === 0) return undefined;
  const requests = new Map<number, LoggedRequest>();
  for (let left = count; left > 0; left--) {
    const counter = range.from + reader.varint();
    if (counter <= range.from || counter > rangeEnd(range)) throw new MalformedBytesError('a request is of no dot');
    const request = readLoggedRequest(reader);
    // The last of its dots is what the receiver remembers, in this batch or not.
    if (request.dots - 1 > Number.MAX_SAFE_INTEGER - counter) {
      throw new MalformedBytesError('a request has more dots than can be counted');
    }
    requests.set(counter, request);
  }
  return requests;
}
