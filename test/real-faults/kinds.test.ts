// What does each kind of fault do to real processes under load? One fault at a time, then healing, and the verdict of the
// oracle on all that clients were told before, meanwhile and after.

import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Load } from '../faults/clients.js';
import { verdictAfterHealing } from '../faults/ending.js';
import { bringBackOldCopy, fillDisk, tear, wipe, type Scene } from '../faults/faults.js';
import { FaultyCluster } from '../faults/faulty-cluster.js';
import { Recorder, type Write } from '../faults/history.js';
import { Prng } from '../simulation/prng.js';
import { newestLog, writtenPart } from '../support/level-log.js';
import { START_MS_MAX } from '../support/process-cluster.js';
import { until } from '../support/until.js';

const SEED = 7;
const WRITES = 15;

describe('Four replicas under load', () => {
  let cluster: FaultyCluster;
  let tests = 0;

  beforeAll(async () => {
    cluster = await FaultyCluster.start();
  }, START_MS_MAX);

  afterAll(() => cluster?.stop());

  test('of which one stands still go on without it, and it goes on where it stood', async () => {
    await underLoad(async ({ load }) => {
      cluster.signal('n2', 'SIGSTOP');
      let isAnswered = false;
      const answer = cluster
        .client('n2')
        .request('PUT', '/v1/kv/paused', { body: 'asked while it stood still', timeoutMs: 60_000 })
        .then(() => (isAnswered = true));
      await everywhere(load, ['n1', 'n3', 'n4']);
      expect(isAnswered).toBe(false);
      cluster.signal('n2', 'SIGCONT');
      await answer;
      await load.untilFurther(WRITES, 'n2');
    });
  }, 40_000);

  test('of which one can be reached but reaches nobody miss nothing, and neither does it', async () => {
    await underLoad(async ({ load }) => {
      cluster.cutOneWay(['n1'], ['n2', 'n3', 'n4']);
      await everywhere(load, cluster.names);
      await load.stop();
      await cluster.untilLevel(20_000);
    });
  }, 40_000);

  test('between which messages vanish without a word go on, and agree when they come through', async () => {
    await underLoad(async ({ load }) => {
      cluster.silence(['n1', 'n2'], ['n3', 'n4']);
      await everywhere(load, cluster.names);
      const { peers } = await cluster.stateOf('n1');
      expect(peers).toHaveLength(3);
    });
  }, 40_000);

  test('of which one loses its disk and takes writes at once under its name: no dot names two values', async () => {
    const recorder = await underLoad(async (scene) => {
      await scene.load.untilFurther(WRITES, 'n1');
      await wipe(scene, 'n1');
      await scene.load.untilFurther(WRITES, 'n1');
    });
    expect(actorsOf(recorder, 'n1')).toBe(2);
  }, 40_000);

  test('of which one gets an old copy of its disk back: it goes on as another actor, and gives no dot again', async () => {
    const recorder = await underLoad(async (scene) => {
      const { actor } = await cluster.stateOf('n3');
      await scene.load.untilFurther(WRITES, 'n3');
      await bringBackOldCopy(scene, 'n3');
      await scene.load.untilFurther(WRITES, 'n3');
      expect((await cluster.stateOf('n3')).actor).not.toBe(actor);
    });
    expect(actorsOf(recorder, 'n3')).toBe(2);
  }, 40_000);

  test('of which one finds a file of its database cut, or changed, have it right, or have it refuse and begin anew', async () => {
    await underLoad(async (scene) => {
      await tear(scene, 'n2', (_, data) =>
        damageNewest(data, async (file, size) => file.truncate(Math.floor(size / 2))),
      );
      await scene.load.untilFurther(WRITES, 'n2');
      await tear(scene, 'n2', (_, data) =>
        damageNewest(data, async (file, size) => void (await file.write('damage', Math.floor(size / 2)))),
      );
      await scene.load.untilFurther(WRITES, 'n2');
    });
  }, 60_000);

  test('of which one has no room left on its disk go on; it refuses or stops, and takes writes again with room', async () => {
    const without = cluster.smallDisk === undefined ? 'out' : '';
    console.log(`test/real-faults/kinds: with${without} a disk that is really full`);
    const name = cluster.lastName;
    await underLoad(async (scene) => {
      let isSeen = false;
      const others = cluster.names.filter((other) => other !== name);
      const goOn = async (): Promise<void> => {
        await everywhere(scene.load, others);
        await until(
          `${name} refuses, or has stopped`,
          () => cluster.problems.has('507 STORE_FULL') || !cluster.isRunning(name),
        );
        isSeen = true;
      };
      await fillDisk({ ...scene, hold: goOn });
      expect(isSeen).toBe(true);
      await scene.load.untilFurther(WRITES, name);
    });
  }, 60_000);

  test('whose wall clocks are hours apart agree all the same, on the latest too', async () => {
    const recorder = await underLoad(async ({ load }) => {
      await cluster.shiftClock('n1', 9);
      await cluster.shiftClock('n2', -30);
      await cluster.kill('n3');
      await cluster.shiftClock('n3', -7);
      await cluster.restart('n3');
      await everywhere(load, cluster.names);
    });
    for (const key of recorder.keys()) {
      const latest = await Promise.all(
        cluster.names.map(async (name) => {
          const { status, body } = await cluster.client(name).request('GET', `/v1/kv/${key}?resolve=latest`);
          return `${status} ${status === 200 ? body.toString() : ''}`;
        }),
      );
      expect(new Set(latest).size).toBe(1);
    }
  }, 40_000);

  /** The load runs before, during and after what happens; then everything is healed, and everything must be right. */
  async function underLoad(happen: (scene: Scene) => Promise<void>): Promise<Recorder> {
    const recorder = new Recorder();
    const prng = new Prng(SEED);
    const load = new Load(cluster, recorder, prng.fork(), { prefix: `t${++tests}-`, pauseMs: 25 });
    load.start();
    try {
      await load.untilFurther(2 * WRITES);
      await happen({ cluster, load, prng, hold: () => Promise.resolve() });
    } finally {
      await load.stop();
    }
    expect(await verdictAfterHealing(cluster, recorder)).toEqual([]);
    return recorder;
  }
});

async function everywhere(load: Load, names: readonly string[]): Promise<void> {
  await Promise.all(names.map((name) => load.untilFurther(WRITES, name)));
}

/** As how many actors a replica has answered writes. */
function actorsOf({ events }: Recorder, replica: string): number {
  const writes = events.filter((event): event is Write => event.kind === 'write' && event.replica === replica);
  return new Set(writes.flatMap(({ dot }) => (dot === undefined ? [] : [dot.slice(0, dot.lastIndexOf(':'))]))).size;
}

type Handle = Awaited<ReturnType<typeof open>>;

/** In the log file of the database, which holds what was written last. */
async function damageNewest(data: string, damage: (file: Handle, size: number) => Promise<void>): Promise<void> {
  const path = await newestLog(join(data, 'level'));
  const { length } = writtenPart(await readFile(path));
  expect(length).toBeGreaterThan(0);
  const file = await open(path, 'r+');
  await damage(file, length).finally(() => file.close());
}
