// How do tests of the causality core write down vectors, versions and containers, and draw random ones?
//
// Builders keep a test to one line per fact. Generators draw from few actors and small counters, so that two random
// vectors are about the same dots often enough to disagree in an interesting way.

import fc from 'fast-check';
import type { Container, Version } from '../../src/clock/container.js';
import type { Dot } from '../../src/clock/dot.js';
import type { VersionVector } from '../../src/clock/version-vector.js';

/** `vector({ a: 2 })` has seen the first two events of `a`. */
export function vector(entries: Readonly<Record<string, number>>): VersionVector {
  return new Map(Object.entries(entries));
}

export function dot(actor: string, counter: number): Dot {
  return { actor, counter };
}

/** A version whose value names its dot unless `text` says otherwise. */
export function version(actor: string, counter: number, text = `${actor}${counter}`, stamp = 0): Version {
  return versionOf({ actor, counter }, utf8(text), stamp, 'text/plain');
}

/** A version with a given value, whichever bytes it is made of. */
export function versionOf(
  { actor, counter }: Dot,
  value: Uint8Array,
  stamp = 0,
  contentType = 'application/octet-stream',
): Version {
  return { actor, counter, stamp, type: 'register', part: '', contentType, value, deadlineMs: undefined };
}

export function container(versions: readonly Version[], context: VersionVector): Container {
  return { versions, context };
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function textOf(version: Version): string {
  return new TextDecoder().decode(version.value);
}

export function textsOf(holder: Container): string[] {
  return holder.versions.map(textOf);
}

/** A vector as sorted pairs: equal exactly when the vectors cover the same dots. */
export function shownVector(shown: VersionVector): [string, number][] {
  return [...shown].sort(([left], [right]) => (left < right ? -1 : 1));
}

/** A container as plain data: equal exactly when versions, their order, and contexts are the same. */
export function shownContainer(shown: Container): { versions: string[]; context: [string, number][] } {
  return {
    versions: shown.versions.map((each) => `${each.actor}:${each.counter} ${textOf(each)}`),
    context: shownVector(shown.context),
  };
}

/** Names that a careless table or a careless order would trip over. */
export const ACTORS: readonly string[] = ['n1.a', 'n10.a', 'n2.b', '__proto__'];

/** Small enough that a vector's dots can be listed one by one. */
export const COUNTER_MAX = 6;

export const anyActor = fc.constantFrom(...ACTORS);

export const anyDot: fc.Arbitrary<Dot> = fc.record({
  actor: anyActor,
  counter: fc.integer({ min: 1, max: COUNTER_MAX }),
});

export const anyVector: fc.Arbitrary<VersionVector> = fc
  .uniqueArray(fc.tuple(anyActor, fc.integer({ min: 1, max: COUNTER_MAX })), { selector: ([actor]) => actor })
  .map((entries) => new Map(entries));
