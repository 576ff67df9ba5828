// Does a replica say that it is not ready when its disk hangs, and can its figures be read then?

import { afterEach, expect, jest, test } from '@jest/globals';
import type { CatchUp } from '../../../src/observability/catch-up.js';
import { ClusterStatus } from '../../../src/observability/cluster-status.js';
import { CommitWatch } from '../../../src/observability/commit-watch.js';
import type { DiskSpace } from '../../../src/observability/disk-space.js';
import { Metrics } from '../../../src/observability/metrics.js';
import { Readiness } from '../../../src/observability/readiness.js';
import type { ReplicaDriver } from '../../../src/replication/replica-driver.js';
import type { ReplicaStore } from '../../../src/store/replica-store.js';
import { vector } from '../../support/clock-arbitraries.js';

afterEach(() => {
  jest.useRealTimers();
});

/** A replica that is well, but for what `commit` says is under way. */
function replica() {
  const driver = {
    failure: undefined,
    standing: 'member',
    peers: [],
    members: new Map(),
    progress: {},
    view: { clock: vector({ 'n1.a': 1 }), node: { floor: vector({}) } },
    commit: undefined as number | undefined,
    commitUnderWay: () => driver.commit,
  };
  const catchUp = { isOver: true, detail: 'yes', missingDots: 0, look: () => {} } as unknown as CatchUp;
  const disk = { isNearlyFull: false, free: 1 } as DiskSpace;
  const commits = new CommitWatch(driver);
  const status = new ClusterStatus(driver as unknown as ReplicaDriver, catchUp, commits, () => undefined);
  return { driver, disk, status, readiness: new Readiness(driver as unknown as ReplicaDriver, catchUp, disk, commits) };
}

test('It is not ready when one commit has been under way for more than ten seconds, and is again when that ends', () => {
  jest.useFakeTimers();
  const { driver, status, readiness } = replica();
  driver.commit = 7;
  status.watch();
  jest.advanceTimersByTime(9000);
  expect(readiness.isReady).toBe(true);
  jest.advanceTimersByTime(1000);
  expect(readiness.checks().filter(({ isOk }) => !isOk)).toEqual([
    { name: 'store', isOk: false, detail: expect.stringContaining('the disk has not answered a commit') },
  ]);
  driver.commit = undefined;
  jest.advanceTimersByTime(1000);
  expect(readiness.isReady).toBe(true);
  status.stop();
});

test('Its figures are told though nobody says how large its folder is, and that is asked once', async () => {
  const { disk, status, readiness } = replica();
  const size = jest.fn(() => new Promise<number>(() => {}));
  const metrics = new Metrics('n1');
  metrics.watch(status, { size, aheadCount: 0 } as unknown as ReplicaStore, disk);
  metrics.watchReadiness(readiness);
  for (let look = 0; look < 2; look++) {
    expect(await metrics.registry.metrics()).toContain('quartet_ready{node="n1"} 1');
  }
  expect(size).toHaveBeenCalledTimes(1);
});
