// What is the state of one key?
//
// A container (D, V): D holds the live versions, each under the dot of the write that made it and concurrent with its
// siblings; V is a version vector, and every dot of this key that V covers is either in D or has been replaced.
//
// A replica stores V stripped of what its own node clock covers, and fills it again before use. At rest V is empty, a
// key costs its dots and nothing else, and a deleted key costs nothing at all: there are no tombstones.
// Source: Gonçalves, Almeida, Baquero, Fonte: Concise Server-Wide Causality Management for Eventually Consistent Data
// Stores (DAIS 2015).

import { compareDots, type Dot } from './dot.js';
import { hasSeen, type DottedVector } from './dotted-vector.js';
import { advance, beyond, covers, EMPTY_VECTOR, join, type VersionVector } from './version-vector.js';
import type { Stamp } from './hybrid-clock.js';
import type { ValueType } from './value-type.js';

/**
 * A live value, or a part of one, and the write event that made it. The bytes belong to the version and are never changed.
 * Every field is always there: all versions are of one hidden class.
 */
export interface Version extends Dot {
  /** When its coordinator took it, by the hybrid clock. Orders versions for a reader; never decides causality. */
  readonly stamp: Stamp;
  readonly type: ValueType;
  /** The element of a set, the field of a map; else empty. */
  readonly part: string;
  /** Of a register; else empty. */
  readonly contentType: string;
  /** A register's bytes; a counter's partial sum, in decimal; a map field's JSON text; nothing for the element of a set. */
  readonly value: Uint8Array;
  /** When its lifetime ends, in milliseconds of wall time; undefined: it has no end. */
  readonly deadlineMs: number | undefined;
}

/** The state of one key: live versions in the order of `compareDots`, and the causal context. */
export interface Container {
  readonly versions: readonly Version[];
  readonly context: VersionVector;
}

/** The state of a key never written, and of a deleted one once its context is stripped. It is not stored. */
export const EMPTY_CONTAINER: Container = { versions: [], context: EMPTY_VECTOR };

/** Whether nothing needs storing. */
export function isEmpty(container: Container): boolean {
  return container.versions.length === 0 && container.context.size === 0;
}

/**
 * Adds to the context what `clock` covers. Valid only with a clock under which this container was stored or sent: an
 * older one loses context and makes false siblings, a newer one claims replacements that never happened.
 */
export function fill(container: Container, clock: VersionVector): Container {
  const context = join(container.context, clock);
  return context === container.context ? container : { versions: container.versions, context };
}

/** Drops from the context what `clock` covers; `fill` with that clock brings it back. */
export function strip(container: Container, clock: VersionVector): Container {
  const context = beyond(container.context, clock);
  return context.size === container.context.size ? container : { versions: container.versions, context };
}

/**
 * The state that knows what both sides know. A version lives if both sides hold it, or if one holds it and the other
 * has never seen its dot; whatever one side has seen and no longer holds, has been replaced. Commutative, associative
 * and idempotent on filled containers, which both sides must be.
 */
export function sync(left: Container, right: Container): Container {
  const context = join(left.context, right.context);
  // Most merges of a replica that catches up are of this kind.
  if (left.versions.length === 0) return { versions: unseen(right.versions, left.context), context };
  const versions: Version[] = [];
  let l = 0;
  let r = 0;
  while (l < left.versions.length || r < right.versions.length) {
    const a = left.versions[l];
    const b = right.versions[r];
    const order = a === undefined ? 1 : b === undefined ? -1 : compareDots(a, b);
    if (order <= 0) l++;
    if (order >= 0) r++;
    if (order === 0) versions.push(a!);
    else if (order < 0 && !covers(right.context, a!)) versions.push(a!);
    else if (order > 0 && !covers(left.context, b!)) versions.push(b!);
  }
  return { versions, context };
}

/**
 * What becomes of a key without a container here that another replica tells of: as
 * `strip(sync(fill(EMPTY_CONTAINER, known), remote), knownAfter)`, which is what nearly every key costs that is taken over.
 *
 * @param remote stripped or filled with a clock that `knownAfter` covers
 * @param known what is known of the key here
 * @param knownAfter what is known of it then; it covers `known`
 */
export function adopt(remote: Container, known: VersionVector, knownAfter: VersionVector): Container {
  const versions = unseen(remote.versions, known);
  const context = beyond(remote.context, knownAfter);
  return versions === remote.versions && context.size === remote.context.size ? remote : { versions, context };
}

function unseen(versions: readonly Version[], context: VersionVector): readonly Version[] {
  return versions.some((version) => covers(context, version))
    ? versions.filter((version) => !covers(context, version))
    : versions;
}

/**
 * The state after one write event. It removes the versions that the author had seen (`seen` covers them) and that the
 * operation replaces, adds `version` if there is one (a delete has none), and marks `dot` and `seen` as past.
 *
 * @param container filled
 * @param dot the event's own, beyond everything its actor has written
 * @param seen the author's causal context; the container's own context for an author who has seen what this replica has
 */
export function update(
  container: Container,
  dot: Dot,
  seen: VersionVector,
  version: Version | undefined,
  replaces: (version: Version) => boolean,
): Container {
  return updateAll(container, dot, { vector: seen, dot: undefined }, version === undefined ? [] : [version], replaces);
}

/**
 * The state after several write events of one actor in a row, one for each of `added`, whose dots are in order. `last` is the
 * dot of the last event, which may be one more, without a version. The dot of `seen`, if it has one, is not marked as past: a
 * vector can't say it, and where it has not come yet, it becomes a sibling when it comes.
 */
export function updateAll(
  container: Container,
  last: Dot,
  seen: DottedVector,
  added: readonly Version[],
  replaces: (version: Version) => boolean,
): Container {
  const kept = container.versions.filter((sibling) => !(hasSeen(seen, sibling) && replaces(sibling)));
  const [first] = added;
  if (first !== undefined && kept.length > 0) kept.splice(placeOf(kept, first), 0, ...added);
  const versions = kept.length > 0 ? kept : added;
  return { versions, context: advance(join(container.context, seen.vector), last) };
}

/** Behind all that come before it. */
function placeOf(versions: readonly Version[], version: Version): number {
  let place = versions.length;
  while (place > 0 && compareDots(versions[place - 1]!, version) > 0) place--;
  return place;
}
