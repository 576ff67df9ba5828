// What becomes of readers of changes when writes come so late that their lifetimes are over, and gone, where they come from?

import { describe, expect, test } from '@jest/globals';
import { ChangeFeed } from '../../src/replication/change-feed.js';
import type { Changes } from '../../src/replication/change-reader.js';
import type { Cursor } from '../../src/replication/cursor.js';
import { Cluster } from './cluster.js';
import { OPTIONS, Scenario } from './scenario.js';

const HOUR_MS = 3_600_000;

/** Of lifetimes that have ended since, all are told, however long the replica was away. */
const TOLD_MS = 60_000;

/** How far back a node tells of ended lifetimes. */
type Kept = (name: string) => number;

async function beginOutage(): Promise<{ readonly cluster: Cluster; readonly scenario: Scenario; readonly kept: Kept }> {
  const cluster = new Cluster({ ...OPTIONS, lifetimes: true, deadlineRetentionMs: HOUR_MS }, false);
  const scenario = new Scenario(cluster);
  await scenario.settle();
  await scenario.put('n1', 'A');
  await scenario.settle();
  const kept: Kept = (name) => {
    const { life, nowMs } = cluster.node(name);
    return nowMs - life!.expiry!.endedKeptAfterMs;
  };
  return { cluster, scenario, kept };
}

async function afterOutageOf(awayMs: number): Promise<Kept> {
  const { scenario, kept } = await beginOutage();
  scenario.isolate('n3');
  await scenario.put('n1', 'B');
  await scenario.runFor(awayMs);
  scenario.heal();
  await scenario.settle();
  await scenario.runFor(1000);
  return kept;
}

test('a replica that was away for long tells no reader of lifetimes that may have ended meanwhile: it sends it to the list', async () => {
  const keptMs = await afterOutageOf(TOLD_MS + 5000);
  // Exact but for how often it looks.
  expect(keptMs('n3')).toBeLessThan(TOLD_MS + 2000);
  expect(keptMs('n1')).toBeLessThan(TOLD_MS + 2000);
});

test('one that was away for a moment goes on telling', async () => {
  const keptMs = await afterOutageOf(TOLD_MS / 2);
  for (const name of ['n1', 'n2', 'n3']) expect(keptMs(name)).toBeGreaterThan(TOLD_MS + 10_000);
});

test('one whose process stood still for long does not tell, though it has counted few looks', async () => {
  const { cluster, scenario, kept } = await beginOutage();
  await scenario.runFor(10_000);
  await scenario.put('n1', 'B');
  // As after a stop of the whole process: its timers have not run, and its clock has gone on.
  cluster.node('n3').wallOffsetMs += 2 * TOLD_MS;
  await scenario.until('n3', 'B');
  expect(kept('n3')).toBe(TOLD_MS);
});

test.each([
  ['cut off', (scenario: Scenario) => scenario.isolate('n3'), (scenario: Scenario) => Promise.resolve(scenario.heal())],
  ['down', (scenario: Scenario) => scenario.crash('n3'), (scenario: Scenario) => scenario.start('n3')],
])(
  'one that was %s for long does not tell at the very moment of hearing more either',
  async (_how, leave, comeBack) => {
    const { scenario, kept } = await beginOutage();
    leave(scenario);
    await scenario.put('n1', 'B');
    await scenario.runFor(TOLD_MS + 5000);
    await comeBack(scenario);
    await scenario.until('n3', 'B');
    expect(kept('n3')).toBe(TOLD_MS);
  },
);

test('one that starts again goes on telling, but not when nothing is in its log: it may have taken over all keys', async () => {
  const { scenario, kept } = await beginOutage();
  await scenario.untilTrimmed('n3');
  scenario.isolate('n1');
  await scenario.put('n1', 'logged until the others have it');
  for (const name of ['n1', 'n3']) {
    scenario.isolate(name);
    scenario.crash(name);
    await scenario.start(name);
  }
  expect(kept('n1')).toBeGreaterThan(TOLD_MS + HOUR_MS - 1000);
  expect(kept('n3')).toBeLessThan(TOLD_MS + 1000);
});

describe('when clocks are apart as far as they may be, a reader is told of every end', () => {
  const AHEAD_MS = 25_000;
  const operation = { kind: 'put', contentType: 'text/plain', value: Buffer.from('mortal'), ttlMs: 1000 } as const;

  /** Kept for readers, however often it is trimmed. */
  const TICKS = 1e6;

  async function begin(behind: readonly string[]): Promise<{ cluster: Cluster; scenario: Scenario }> {
    const cluster = new Cluster(
      { ...OPTIONS, keys: 2, lifetimes: true, deadlineRetentionMs: HOUR_MS, retentionTicks: TICKS },
      false,
    );
    for (const name of cluster.names) cluster.node(name).wallOffsetMs = behind.includes(name) ? -AHEAD_MS : AHEAD_MS;
    const scenario = new Scenario(cluster);
    await scenario.settle();
    await scenario.put('n2', 'has the stamp of the clock that is ahead');
    await scenario.settle();
    return { cluster, scenario };
  }

  async function changesAt(cluster: Cluster, name: string, cursor: Cursor | undefined): Promise<Changes> {
    const { driver, life, nowMs: wallMs } = cluster.node(name);
    const feed = new ChangeFeed(driver!, life!.expiry!);
    const filter = { prefix: '', keysMax: 10, bytesMax: 1e6, dotsMax: 1000, wallMs };
    return feed.read(cursor ?? feed.now(wallMs), filter);
  }

  async function untilSeen(cluster: Cluster, name: string, { clock }: Cursor): Promise<void> {
    let isSeen = false;
    void cluster
      .node(name)
      .driver!.covers(clock, HOUR_MS)
      .then(() => (isSeen = true));
    while (!isSeen) await cluster.step();
  }

  const told = ({ changes }: Changes): unknown[] => changes.map(({ key, hasEnded }) => [key, hasEnded]);

  test.each([
    ['cut off', 30_000, (scenario: Scenario) => scenario.isolate('n3'), () => Promise.resolve()],
    ['down', 100_000, (scenario: Scenario) => scenario.crash('n3'), (scenario: Scenario) => scenario.start('n3')],
  ])('by a replica that was %s for a while, too', async (_how, awayMs, leave, comeBack) => {
    const { cluster, scenario } = await begin(['n1', 'n3']);
    const { cursor: before } = await changesAt(cluster, 'n1', undefined);
    leave(scenario);
    await scenario.put('n1', 'mortal', { key: 'k2', operation });
    const alive = await changesAt(cluster, 'n1', before);
    expect(told(alive)).toEqual([['k2', false]]);

    await scenario.runFor(awayMs);
    // It hears of it from the one whose clock is ahead.
    scenario.isolate('n1');
    await comeBack(scenario);
    scenario.mend('n2', 'n3');
    await untilSeen(cluster, 'n3', alive.cursor);
    expect(told(await changesAt(cluster, 'n3', alive.cursor))).toEqual([['k2', true]]);
  });
});
