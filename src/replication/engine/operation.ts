// What does a client want done with a key? And which versions come and go for it?

import { counterReplaces, encodeSum, sumOf } from '../../clock/counter.js';
import type { Version } from '../../clock/container.js';
import type { Actor } from '../../clock/dot.js';
import { mapReplaces } from '../../clock/map.js';
import { registerReplaces } from '../../clock/register.js';
import { setReplaces } from '../../clock/set.js';
import type { ValueType } from '../../clock/value-type.js';

export type Operation =
  | {
      readonly kind: 'put';
      readonly contentType: string;
      readonly value: Uint8Array;
      /** How long the value lives; undefined: until it is replaced. */
      readonly ttlMs: number | undefined;
    }
  /** `type`: what its author takes the key for. */
  | { readonly kind: 'delete'; readonly type: ValueType }
  | { readonly kind: 'add'; readonly amount: bigint }
  /** No element is in both. */
  | { readonly kind: 'update-set'; readonly add: ReadonlySet<string>; readonly remove: ReadonlySet<string> }
  /** Fields with their JSON texts; no field is in both. */
  | {
      readonly kind: 'update-map';
      readonly set: ReadonlyMap<string, Uint8Array>;
      readonly remove: ReadonlySet<string>;
    };

/** A new version that has no dot yet. */
export type Part = Pick<Version, 'type' | 'part' | 'contentType' | 'value' | 'deadlineMs'>;

export interface Change {
  /** Which of the versions that the author has seen go. */
  readonly replaces: (version: Version) => boolean;
  /** One dot for each. */
  readonly parts: readonly Part[];
  /** Whether something goes that no new version replaces: a dot of its own makes that travel. */
  readonly removes: boolean;
}

const NO_BYTES = new Uint8Array(0);

/** The type that the key must have, or gets. */
export function typeOfOperation(operation: Operation): ValueType {
  switch (operation.kind) {
    case 'put':
      return 'register';
    case 'delete':
      return operation.type;
    case 'add':
      return 'counter';
    case 'update-set':
      return 'set';
    case 'update-map':
      return 'map';
  }
}

/** @param versions all that the replica has of the key: where it takes no context, that is what the author has seen */
export function changeOf(
  operation: Operation,
  versions: readonly Version[],
  { actor, wallMs }: { readonly actor: Actor; readonly wallMs: number },
): Change {
  switch (operation.kind) {
    case 'put': {
      const { contentType, value, ttlMs } = operation;
      const deadlineMs = ttlMs === undefined ? undefined : wallMs + ttlMs;
      const part: Part = { type: 'register', part: '', contentType, value, deadlineMs };
      return { replaces: registerReplaces, parts: [part], removes: false };
    }
    case 'delete':
      return { replaces: registerReplaces, parts: [], removes: true };
    case 'add': {
      const replaces = counterReplaces(actor);
      const sum = sumOf(versions.filter(replaces)) + operation.amount;
      return { replaces, parts: [partOf('counter', '', encodeSum(sum))], removes: false };
    }
    case 'update-set': {
      const { add, remove } = operation;
      const parts = Array.from(add, (element) => partOf('set', element, NO_BYTES));
      return {
        replaces: setReplaces(new Set([...add, ...remove])),
        parts,
        removes: versions.some(setReplaces(remove)),
      };
    }
    case 'update-map': {
      const { set, remove } = operation;
      const parts = Array.from(set, ([field, value]) => partOf('map', field, value));
      const replaces = mapReplaces(new Set([...set.keys(), ...remove]));
      return { replaces, parts, removes: versions.some(mapReplaces(remove)) };
    }
  }
}

function partOf(type: ValueType, part: string, value: Uint8Array): Part {
  return { type, part, contentType: '', value, deadlineMs: undefined };
}
