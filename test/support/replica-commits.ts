// How do tests of a replica's state write down what is committed, and read back what is there?

import type { Claims } from '../../src/clock/claims.js';
import type { Container } from '../../src/clock/container.js';
import type { CommittedView } from '../../src/store/committed-view.js';
import { blankNode, type NodeRecord } from '../../src/store/record-codec.js';
import type { Commit } from '../../src/store/replica-store.js';
import { container, vector, version } from './clock-arbitraries.js';

/** The actor of the replica under test. */
export const SELF = 'n1.a';

/** A key whose only version is the write `counter` of this node. */
export function holding(counter: number, context: Record<string, number> = {}): Container {
  return container([version(SELF, counter)], vector(context));
}

export function node(clock: Record<string, number>, actor = SELF): NodeRecord {
  return { ...blankNode(actor), clock: vector(clock), stamp: 1_700_000_000_000_000 };
}

export interface CommitParts {
  readonly claims?: Claims;
  readonly containers?: Record<string, Container>;
  readonly contexts?: Record<string, Record<string, number>>;
  /** By actor, the keys that its dots wrote, from the first one on. */
  readonly log?: Record<string, readonly string[]>;
  readonly entries?: readonly { readonly actor: string; readonly counter: number }[];
  readonly node: NodeRecord;
}

export function commitOf({
  claims,
  containers = {},
  contexts = {},
  log = {},
  entries = [],
  node,
}: CommitParts): Commit {
  return {
    claims,
    members: undefined,
    containers: new Map(Object.entries(containers)),
    contexts: new Map(Object.entries(contexts).map(([key, context]) => [key, vector(context)])),
    log: [
      ...Object.entries(log).flatMap(([actor, keys]) => keys.map((key, index) => ({ actor, counter: index + 1, key }))),
      ...entries.map((dot) => ({ ...dot, key: `${dot.actor} wrote ${dot.counter}` })),
    ],
    node,
  };
}

export async function keysOf(view: CommittedView, prefix = '', after?: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of view.containers(prefix, after)) keys.push(key);
  return keys;
}

export async function logged(view: CommittedView, actor: string, from: number, to: number): Promise<string[]> {
  const keys: string[] = [];
  for await (const key of view.log.keys({ actor, from, to })) keys.push(key);
  return keys;
}
