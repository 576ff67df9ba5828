// What do clients do to keys of every type, and what does each operation replace? The oracle's own rules, by single writes:
//
// register: a put, and a delete of whatever type, replaces all that its author has seen.
// set: to add an element, or to remove it, replaces its versions that the author has seen.
// map: to put a field, or to remove it, replaces its versions that the author has seen.
// counter: to add replaces what the same actor has added before, and carries all of it on.

import type { Operation } from '../../src/replication/engine/operation.js';
import type { Oracle, OracleVersion, Type, WriteSet } from './oracle.js';
import type { Prng } from './prng.js';

/** Of which type the operations on a key are; `any`: each of another one. */
export type Kind = Type | 'any';

const TYPES: readonly Type[] = ['register', 'counter', 'set', 'map'];

/** Few, so that operations meet. */
const PARTS = ['p1', 'p2', 'p3'];

/** How long values live: some end while they are on their way, some with the next jump of a clock. */
const LIFETIMES_MS = [1, 100, 1000, 20_000, 90_000, 3_600_000];

/** One dot: a version that comes, or none, and what goes. */
export interface Effect {
  readonly version: OracleVersion | undefined;
  readonly replaces: WriteSet;
}

/** @param value one that no other write has; undefined: the client deletes */
export function drawOperation(
  prng: Prng,
  kind: Kind,
  value: { readonly text: string; readonly bytes: Uint8Array } | undefined,
  hasLifetimes: boolean,
): Operation {
  const type = kind === 'any' ? prng.pick(TYPES) : kind;
  if (value === undefined) return { kind: 'delete', type };
  switch (type) {
    case 'register': {
      const ttlMs = hasLifetimes && prng.chance(0.4) ? prng.pick(LIFETIMES_MS) : undefined;
      return { kind: 'put', contentType: 'text/plain', value: value.bytes, ttlMs };
    }
    case 'counter':
      return { kind: 'add', amount: prng.chance(0.1) ? 10n ** 20n : BigInt(prng.between(-5, 5)) };
    case 'set': {
      const [add, remove] = drawParts(prng);
      return { kind: 'update-set', add: new Set(add), remove: new Set(remove) };
    }
    case 'map': {
      const [set, remove] = drawParts(prng);
      const fields = set.map((field): [string, Uint8Array] => [field, Buffer.from(`"${value.text}${field}"`)]);
      return { kind: 'update-map', set: new Map(fields), remove: new Set(remove) };
    }
  }
}

/** Some parts to put, and others to remove; sometimes none at all. */
function drawParts(prng: Prng): [put: string[], removed: string[]] {
  const put: string[] = [];
  const removed: string[] = [];
  for (const part of PARTS) {
    const draw = prng.next();
    if (draw < 0.35) put.push(part);
    else if (draw < 0.55) removed.push(part);
  }
  return [put, removed];
}

export function typeOf(operation: Operation): Type {
  switch (operation.kind) {
    case 'put':
      return 'register';
    case 'add':
      return 'counter';
    case 'update-set':
      return 'set';
    case 'update-map':
      return 'map';
    case 'delete':
      return operation.type;
  }
}

/**
 * What the operation must do, dot by dot; nothing, when there is nothing to do.
 * @param seen what its author has seen
 * @param kept what its replica has stored
 */
export function effectsOf(
  oracle: Oracle,
  key: string,
  operation: Operation,
  { seen, kept, actor, wallMs }: { seen: WriteSet; kept: WriteSet; actor: string; wallMs: number },
): readonly Effect[] {
  const versionsOf = (type: Type, part: string): WriteSet =>
    oracle.matching(key, seen, (write) => write.version?.type === type && write.version.part === part);
  switch (operation.kind) {
    case 'delete':
      return [{ version: undefined, replaces: seen }];
    case 'put': {
      const deadlineMs = operation.ttlMs === undefined ? undefined : wallMs + operation.ttlMs;
      const value = textOf(operation.value);
      return [{ version: { type: 'register', part: '', value, deadlineMs, adds: 0n, amount: 0n }, replaces: seen }];
    }
    case 'add': {
      const own = oracle.matching(key, seen, (write) => write.version?.type === 'counter' && write.actor === actor);
      const carried = oracle.writes(key, own & kept);
      const adds = carried.reduce((all, { version }) => all | version!.adds, 0n);
      const sum = carried.reduce((all, { version }) => all + BigInt(version!.value), operation.amount);
      const version = { type: 'counter', part: '', value: String(sum), deadlineMs: undefined, adds } as const;
      return [{ version: { ...version, amount: operation.amount }, replaces: own }];
    }
    case 'update-set':
    case 'update-map': {
      const type = operation.kind === 'update-set' ? 'set' : 'map';
      const put: readonly (readonly [part: string, value: string])[] =
        operation.kind === 'update-set'
          ? [...operation.add].map((element) => [element, ''])
          : [...operation.set].map(([field, json]) => [field, textOf(json)]);
      const effects: Effect[] = put.map(([part, value]) => ({
        version: { type, part, value, deadlineMs: undefined, adds: 0n, amount: 0n },
        replaces: versionsOf(type, part),
      }));
      const removed = [...operation.remove].reduce((all, part) => all | versionsOf(type, part), 0n);
      // What is not there need not be removed.
      if ((removed & kept) !== 0n) effects.push({ version: undefined, replaces: removed });
      return effects;
    }
  }
}

/** Up to the first space: what stands behind it makes a value weigh more. */
function textOf(value: Uint8Array): string {
  return Buffer.from(value).toString().split(' ')[0]!;
}
