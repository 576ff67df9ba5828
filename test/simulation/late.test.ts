// What becomes of readers of changes when writes come so late that their lifetimes are over, and gone, where they come from?

import { expect, test } from '@jest/globals';
import { Cluster } from './cluster.js';
import { OPTIONS, Scenario } from './scenario.js';

const HOUR_MS = 3_600_000;
const KEPT_MS = 60_000;

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
  const keptMs = await afterOutageOf(KEPT_MS + 5000);
  // Exact but for how often it looks.
  expect(keptMs('n3')).toBeLessThan(KEPT_MS + 2000);
  expect(keptMs('n1')).toBeLessThan(KEPT_MS + 2000);
});

test('one that was away for a moment goes on telling', async () => {
  const keptMs = await afterOutageOf(KEPT_MS / 2);
  for (const name of ['n1', 'n2', 'n3']) expect(keptMs(name)).toBeGreaterThan(KEPT_MS + 10_000);
});

test('one whose process stood still for long does not tell, though it has counted few looks', async () => {
  const { cluster, scenario, kept } = await beginOutage();
  await scenario.runFor(10_000);
  await scenario.put('n1', 'B');
  // As after a stop of the whole process: its timers have not run, and its clock has gone on.
  cluster.node('n3').wallOffsetMs += 2 * KEPT_MS;
  await scenario.until('n3', 'B');
  expect(kept('n3')).toBe(KEPT_MS);
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
    await scenario.runFor(KEPT_MS + 5000);
    await comeBack(scenario);
    await scenario.until('n3', 'B');
    expect(kept('n3')).toBe(KEPT_MS);
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
  expect(kept('n1')).toBeGreaterThan(KEPT_MS + HOUR_MS - 1000);
  expect(kept('n3')).toBeLessThan(KEPT_MS + 1000);
});
