// Does a reader of the change feed that hops between real processes see every key's last state, whatever happens to them?

import { expect, test } from '@jest/globals';
import { Prng } from '../simulation/prng.js';
import { HoppingReader } from '../support/hopping-reader.js';
import { ProcessCluster } from '../support/process-cluster.js';
import { until } from '../support/until.js';

const KEYS = 300;
const WRITERS = 4;
const ROUNDS = 4;
/** As long as the readers that are not quick may fall behind. */
const RETENTION_SECONDS = 15;

const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
const prng = new Prng(seed);

/** Clients that write and delete at any replica, and mind nothing. */
class Writers {
  acknowledged = 0;
  private isStopping = false;
  private readonly loops: Promise<void>[];

  constructor(cluster: ProcessCluster) {
    this.loops = Array.from({ length: WRITERS }, () => this.write(cluster, new Prng(prng.int(2 ** 31))));
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    await Promise.all(this.loops);
  }

  private async write(cluster: ProcessCluster, own: Prng): Promise<void> {
    while (!this.isStopping) {
      const client = own.pick(cluster.clients);
      const key = `key${own.int(KEYS)}`;
      try {
        if (own.chance(0.25)) await client.delete(key);
        else await client.put(key, `${own.int(1e9)}`);
        this.acknowledged++;
      } catch {
        // The replica is not there, or ended before it answered.
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

test('A reader that hops between four replicas sees every key’s last state, through kills, cuts and a lost disk', async () => {
  console.log(`test/real-faults/changes: SEED=${seed}`);
  const cluster = await ProcessCluster.start({
    environmentOf: () => ({ QUARTET_FEED_RETENTION_SECONDS: String(RETENTION_SECONDS) }),
  });
  try {
    const readers = [20, 200, 2000].map((restMs) => new HoppingReader(cluster, new Prng(prng.int(2 ** 31)), restMs));
    const writers = new Writers(cluster);
    readers.forEach((reader) => reader.start());
    for (let round = 0; round < ROUNDS; round++) {
      const victim = prng.pick(cluster.names);
      const others = cluster.names.filter((name) => name !== victim);
      const before = writers.acknowledged;
      if (round % 2 === 0) {
        await cluster.kill(victim, 'SIGKILL');
        if (round === ROUNDS - 2) await cluster.wipe(victim);
        await until('writes go on', () => writers.acknowledged > before + 50);
        await cluster.restart(victim);
      } else {
        cluster.cut([victim], others);
        await until('both sides are written to', () => writers.acknowledged > before + 150);
        cluster.heal();
      }
      await until('writes go on', () => writers.acknowledged > before + 200);
    }
    await Promise.all(readers.map((reader) => reader.stop()));
    const before = writers.acknowledged;
    await until('there is something left to read', () => writers.acknowledged > before + 100);
    await writers.stop();
    await Promise.all(readers.map((reader) => reader.readAll(prng.pick(cluster.clients))));
    console.log(`${writers.acknowledged} writes; readers: ${JSON.stringify(readers.map(({ followed }) => followed))}`);
    const [quick] = readers.map(({ followed }) => followed);
    expect(quick!.unanswered + quick!.refusals).toBeGreaterThan(0);
    // One that had been at the lost disk last is refused for long, and lists then.
    if (quick!.listings === 0) expect(quick!.entries).toBeGreaterThan(before / 4);
    await cluster.untilLevel();
    for (const reader of readers) await expectAllSeen(reader, cluster);

    const late = new HoppingReader(cluster, prng);
    await until('the log has nothing left', async () => (await logEntries(cluster)) === 0, 60_000);
    await expectAllSeen(late, cluster);
    expect(late.followed).toMatchObject({ entries: 0, listings: 1 });
  } finally {
    await cluster.stop();
  }
}, 300_000);

/** It has the state of every key that each replica has, and no replica tells it twice. */
async function expectAllSeen(reader: HoppingReader, cluster: ProcessCluster): Promise<void> {
  for (const client of cluster.clients) {
    await reader.readAll(client);
    const listed = new Map<string, string>();
    for await (const { key, etag } of client.list()) listed.set(key, etag);
    expect(new Map([...reader.state].sort())).toEqual(new Map([...listed].sort()));
    expect(await reader.readAll(client)).toBe(0);
  }
}

/** At all replicas together. */
async function logEntries(cluster: ProcessCluster): Promise<number> {
  const answers = await Promise.all(cluster.clients.map((client) => client.request('GET', '/v1/cluster')));
  const states = answers.map(({ body }) => JSON.parse(body.toString()) as { log: { entries: number } });
  return states.reduce((sum, { log }) => sum + log.entries, 0);
}
