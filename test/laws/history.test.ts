// Concurrent writes are detected exactly: never a lost one, never a false one.
//
// Random histories run on replicas made of `src/clock`, and the same steps on an oracle made of sets of names. After
// every step the replica must show exactly the dots that have reached it and that no write which has reached it replaced.

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { formatDot } from '../../src/clock/dot.js';
import { covers } from '../../src/clock/version-vector.js';
import { anyHistory, type Cluster, type History, KEYS, run } from './history.js';

/** Sets of dots, key by key, as one line of text: these tests compare very many of them, and lines compare fast. */
function line(dotsOf: (key: string) => Iterable<string>): string {
  return KEYS.map((key) => `${key}: ${[...dotsOf(key)].sort().join(' ')}`).join(', ');
}

function shownDots(cluster: Cluster, replica: number): string {
  return line((key) => cluster.filled(replica, key).versions.map(formatDot));
}

function checkVisible(cluster: Cluster, replica: number): void {
  const actor = cluster.actorOf(replica);
  expect(shownDots(cluster, replica)).toBe(line((key) => cluster.oracle.visible(actor, key)));
}

/** Of all dots of a key, the context must cover those that a reader here has seen, and claim no other. */
function checkContext(cluster: Cluster, replica: number): void {
  const claimed = line((key) => {
    const { context } = cluster.filled(replica, key);
    const covered = cluster.log.filter((entry) => entry.key === key && covers(context, entry.dot));
    return covered.map(({ dot }) => formatDot(dot));
  });
  expect(claimed).toBe(line((key) => cluster.oracle.known(cluster.actorOf(replica), key)));
}

function checkAll(cluster: Cluster): void {
  for (let replica = 0; replica < cluster.size; replica++) {
    checkVisible(cluster, replica);
    checkContext(cluster, replica);
  }
}

describe.each<History['type']>(['register', 'fields'])('In every history of a key of type %s', (type) => {
  test('each replica shows exactly the versions that no write it has received replaced', () => {
    fc.assert(
      fc.property(anyHistory(type), (history) => checkAll(run(history, checkVisible))),
      { numRuns: 400 },
    );
  });

  test('each replica hands out contexts that cover what their reader has seen, and nothing else', () => {
    fc.assert(
      fc.property(anyHistory(type), (history) => checkAll(run(history, checkContext))),
      { numRuns: 200 },
    );
  });

  test('once all have received all, every replica shows exactly the versions that no write replaced', () => {
    fc.assert(
      fc.property(anyHistory(type), (history) => {
        const cluster = run(history);
        cluster.levelAll();
        const surviving = line((key) => cluster.oracle.surviving(key));
        for (let replica = 0; replica < cluster.size; replica++) expect(shownDots(cluster, replica)).toBe(surviving);
      }),
      { numRuns: 300 },
    );
  });

  test('once all have received all, a key costs its versions and nothing else, and a deleted key nothing at all', () => {
    fc.assert(
      fc.property(anyHistory(type), (history) => {
        const cluster = run(history);
        cluster.levelAll();
        for (const key of KEYS) {
          for (let replica = 0; replica < cluster.size; replica++) {
            const kept = cluster.stored(replica, key);
            expect(kept === undefined).toBe(cluster.oracle.surviving(key).size === 0);
            if (kept !== undefined) expect(kept.context.size).toBe(0);
          }
        }
      }),
      { numRuns: 200 },
    );
  });
});

// A law that holds because nothing ever happened proves nothing. The bounds are far below what the generator does.
describe('The random histories', () => {
  test('hold siblings, deleted keys, replaced versions, and replicas that know more than their clock', () => {
    const seen = { siblings: 0, deleted: 0, replaced: 0, ahead: 0 };
    for (const history of fc.sample(anyHistory('register'), 300)) {
      const once = { siblings: false, deleted: false, replaced: false, ahead: false };
      run(history, (cluster, changed) => {
        for (const key of KEYS) {
          const visible = cluster.oracle.visible(cluster.actorOf(changed), key).size;
          const known = cluster.oracle.known(cluster.actorOf(changed), key).size;
          once.siblings ||= visible > 1;
          once.deleted ||= known > 0 && visible === 0;
          once.replaced ||= visible > 0 && known > visible;
          once.ahead ||= (cluster.stored(changed, key)?.context.size ?? 0) > 0;
        }
      });
      for (const what of Object.keys(seen) as (keyof typeof seen)[]) seen[what] += once[what] ? 1 : 0;
    }
    for (const often of Object.values(seen)) expect(often).toBeGreaterThan(60);
  });
});
