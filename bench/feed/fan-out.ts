// One measurement: so many readers, so many writes a second, for so long. Writes are due at fixed moments, whether or not
// those before are answered.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { ProcessCluster } from '../../test/support/process-cluster.js';
import { cpuSeconds } from '../processes.js';
import { withProgress } from '../recovery/progress.js';
import { KEYS, steadyMs, type FollowAnswer, type Followed, type FollowOrder } from './follow.js';

const VALUE_CHARS = 100;
const WARM_UP_SECONDS = 5;
const DUE_EVERY_MS = 5;
const SAMPLES = 6;

export interface Setting {
  readonly title: string;
  readonly replicas: number;
  /** Who is followed and written to: the first so many replicas. */
  readonly serving: number;
  readonly readers: number;
  /** Readers besides that take nothing. */
  readonly stalled: number;
  readonly writesPerSecond: number;
  readonly seconds: number;
}

export interface Measured extends Followed {
  readonly setting: Setting;
  /** Acknowledged while it was measured. */
  readonly writesPerSecond: number;
  /** Resident memory of the replica that has most of it, in MiB, at equal intervals. */
  readonly memoryMiB: readonly number[];
  /** Of one core, all replicas together. */
  readonly busyReplicas: number;
}

export async function measureFanOut(setting: Setting): Promise<Measured> {
  const { replicas, serving, readers, stalled, seconds, title, writesPerSecond } = setting;
  const cluster = await ProcessCluster.start({ replicas, isCuttable: false });
  const child = spawn(process.execPath, ['--import', 'tsx', join(import.meta.dirname, 'readers.ts')], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const failed = once(child, 'exit').then(([code]) => {
    throw new Error(`the readers ended with status ${String(code)}; see above`);
  });
  failed.catch(() => {});
  const tell = (order: FollowOrder): boolean => child.send(order);
  const heard = async (): Promise<FollowAnswer> => {
    const [answer] = (await Promise.race([once(child, 'message'), failed])) as [FollowAnswer];
    return answer;
  };
  try {
    const urls = cluster.clients.slice(0, serving).map(({ url }) => `${url}/v1/changes?feed=eventsource&values=true`);
    const spread = (count: number): string[] => Array.from({ length: count }, (_, i) => urls[i % urls.length]!);
    tell({ kind: 'follow', urls: spread(readers), stalledUrls: spread(stalled) });
    await heard();
    const writer = new Writer(cluster, serving, tell);
    writer.start(writesPerSecond);
    await sleep(WARM_UP_SECONDS * 1000);
    tell({ kind: 'begin' });
    const pids = cluster.replicas.map(({ pid }) => pid);
    const [writtenBefore, cpuBefore, startedAt] = [writer.acknowledged, cpuSeconds(pids), steadyMs()];
    const memory = (): number => Math.max(...cluster.replicas.map((replica) => replica.memoryMiB()));
    const memoryMiB: number[] = [memory()];
    await withProgress(title, seconds, async (progress) => {
      for (let second = 1; second <= seconds; second++) {
        await Promise.race([sleep(startedAt + second * 1000 - steadyMs()), failed]);
        progress(second);
        if ((second * SAMPLES) % seconds < SAMPLES) memoryMiB.push(memory());
      }
    });
    const elapsed = (steadyMs() - startedAt) / 1000;
    const busyReplicas = (cpuSeconds(pids) - cpuBefore) / elapsed;
    const rate = (writer.acknowledged - writtenBefore) / elapsed;
    const last = await writer.stop();
    tell({ kind: 'end', last });
    const followed = (await heard()) as Followed;
    return { ...followed, setting, writesPerSecond: rate, memoryMiB, busyReplicas };
  } finally {
    child.kill();
    await cluster.stop();
  }
}

class Writer {
  acknowledged = 0;
  private next = 0;
  private underWay = 0;
  private timer: NodeJS.Timeout | undefined;
  private failure: Error | undefined;
  private readonly untold: [write: number, atMs: number][] = [];

  constructor(
    private readonly cluster: ProcessCluster,
    private readonly serving: number,
    private readonly tell: (order: FollowOrder) => void,
  ) {}

  start(perSecond: number): void {
    const startedAt = steadyMs();
    this.timer = setInterval(() => {
      const due = ((steadyMs() - startedAt) / 1000) * perSecond;
      while (this.next < due) void this.write(this.next++);
      this.tellAcknowledged();
    }, DUE_EVERY_MS);
  }

  /** @returns the number of the last write, when all are acknowledged */
  async stop(): Promise<number> {
    clearInterval(this.timer);
    while (this.underWay > 0) await sleep(5);
    this.tellAcknowledged();
    if (this.failure !== undefined) throw this.failure;
    return this.next - 1;
  }

  private async write(write: number): Promise<void> {
    this.underWay++;
    const client = this.cluster.clients[write % this.serving]!;
    try {
      const value = `${write} `.padEnd(VALUE_CHARS, 'v');
      await client.put(`key${write % KEYS}`, value, { 'Content-Type': 'text/plain', Prefer: 'return=minimal' });
      this.acknowledged++;
      this.untold.push([write, steadyMs()]);
    } catch (error) {
      this.failure ??= error as Error;
    } finally {
      this.underWay--;
    }
  }

  private tellAcknowledged(): void {
    if (this.untold.length > 0) this.tell({ kind: 'acknowledged', writes: this.untold.splice(0) });
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}
