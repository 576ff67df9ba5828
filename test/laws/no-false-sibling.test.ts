// Without concurrency there are no siblings.
//
// "A **false conflict** occurs when a set of values contains values that *should* be discard [sic], if the causality were
// correctly preserved" Gonçalves: Dotted-Version-Vectors, README.md, "Client IDs vs Server IDs".
//
// One client writes one key, always with the context of its own last answer, at whichever replica it happens to reach.
// The replicas need not have exchanged anything: what the client has seen travels in its context alone (V ∪ context).
// Each write replaces the one before, so nobody may ever see two versions, during the history or after it.

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { formatDot } from '../../src/clock/dot.js';
import { EMPTY_VECTOR, join } from '../../src/clock/version-vector.js';
import { ACTORS } from '../support/clock-arbitraries.js';
import { Cluster, KEYS, type Token } from './history.js';

const KEY = KEYS[0]!;
const NOTHING_SEEN: Token = { context: EMPTY_VECTOR, seen: new Set() };

interface Hop {
  readonly act: 'put' | 'delete' | 'read' | 'other key';
  readonly replica: number;
  /** Replicas that exchange after this hop, in this order; none for a cluster that is cut to pieces. */
  readonly exchanges: readonly {
    readonly from: number;
    readonly to: number;
    readonly how: 'carry' | 'push' | 'level';
  }[];
}

const anyReplica = fc.nat({ max: ACTORS.length - 1 });
const anyExchange = fc
  .record({ from: anyReplica, to: anyReplica, how: fc.constantFrom('carry', 'push', 'level') })
  .filter(({ from, to }) => from !== to);

function anyHops(exchangesMax: number): fc.Arbitrary<Hop[]> {
  const anyHop: fc.Arbitrary<Hop> = fc.record({
    act: fc.constantFrom('put', 'put', 'put', 'delete', 'read', 'other key'),
    replica: anyReplica,
    exchanges: fc.array(anyExchange, { maxLength: exchangesMax }),
  });
  return fc.array(anyHop, { minLength: 1, maxLength: 25, size: 'max' });
}

interface Outcome {
  /** The dot of the client's last write; undefined when that was a delete, or when there was none. */
  readonly last: string | undefined;
  /** The most versions that any replica held after any hop or exchange. */
  readonly most: number;
}

function follow(cluster: Cluster, hops: readonly Hop[]): Outcome {
  let token = NOTHING_SEEN;
  let last: string | undefined;
  let most = 0;
  for (const { act, replica, exchanges } of hops) {
    if (act === 'put' || act === 'delete') {
      const after = cluster.writeRegister(replica, KEY, act === 'put', token);
      const written = formatDot(cluster.log.at(-1)!.dot);
      token = { context: after.context, seen: new Set([...token.seen, written]) };
      last = act === 'put' ? written : undefined;
    } else if (act === 'read') {
      const answer = cluster.read(replica, KEY);
      token = { context: join(token.context, answer.context), seen: new Set([...token.seen, ...answer.seen]) };
    } else {
      // Other clients write other keys all the time: their dots lie between ours and must not confuse our context.
      cluster.writeRegister(replica, KEYS[1]!, true);
    }
    most = Math.max(most, mostVersions(cluster));
    for (const { from, to, how } of exchanges) {
      if (how === 'carry') cluster.carry(from, to, KEY);
      else if (how === 'push') cluster.push(from, to, cluster.actorOf(from));
      else cluster.level(from, to);
      most = Math.max(most, mostVersions(cluster));
    }
  }
  return { last, most };
}

function mostVersions(cluster: Cluster): number {
  const counts = Array.from({ length: cluster.size }, (_, replica) => cluster.filled(replica, KEY).versions.length);
  return Math.max(...counts);
}

function expectOnly(cluster: Cluster, last: string | undefined): void {
  const held = Array.from({ length: cluster.size }, (_, replica) =>
    cluster.filled(replica, KEY).versions.map(formatDot),
  );
  expect(held).toEqual(held.map(() => (last === undefined ? [] : [last])));
}

describe('A client that always carries its last context', () => {
  test('never makes a sibling, at replicas that have exchanged nothing but what its contexts say', () => {
    fc.assert(
      fc.property(anyHops(0), (hops) => {
        const cluster = new Cluster(ACTORS.length);
        const { last, most } = follow(cluster, hops);
        expect(most).toBeLessThanOrEqual(1);
        cluster.levelAll();
        expectOnly(cluster, last);
      }),
      { numRuns: 300 },
    );
  });

  test('never makes a sibling, whatever the replicas exchange meanwhile', () => {
    fc.assert(
      fc.property(anyHops(3), (hops) => {
        const cluster = new Cluster(ACTORS.length);
        const { last, most } = follow(cluster, hops);
        expect(most).toBeLessThanOrEqual(1);
        cluster.levelAll();
        expectOnly(cluster, last);
      }),
      { numRuns: 300 },
    );
  });

  test('sees its last write win at each replica that the write reaches, whatever older writes come after it', () => {
    fc.assert(
      fc.property(anyHops(0), fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }), (hops, order) => {
        const cluster = new Cluster(ACTORS.length);
        const { last } = follow(cluster, [...hops, { act: 'put', replica: order[0]!, exchanges: [] }]);
        for (const to of order.slice(1)) cluster.carry(order[0]!, to, KEY);
        for (const from of order) for (const to of order) if (from !== to) cluster.carry(from, to, KEY);
        expectOnly(cluster, last);
      }),
      { numRuns: 200 },
    );
  });
});
