// What can the disk do here at most? LevelDB with as many writers as the HTTP servers have connections, each with a record
// of the size of a replica's, and a log entry beside it. What comes while a commit is under way shares the next one.

import { ClassicLevel } from '../../src/store/level/engine.js';
import type { Measurement } from '../load.js';

const RECORD = Buffer.alloc(145, 'v');
const LOGGED = Buffer.alloc(22, 'k');
const KEYS = 100_000;

let level: ClassicLevel<Buffer, Buffer>;
let writers: number;
let written = 0;

async function open(folder: string): Promise<void> {
  level = new ClassicLevel(folder, { keyEncoding: 'buffer', valueEncoding: 'buffer', writeBufferSize: 16 * 2 ** 20 });
  await level.open();
}

async function run(seconds: number): Promise<Measurement> {
  const timesMs: number[] = [];
  const startedAt = performance.now();
  const endsAt = startedAt + seconds * 1000;
  let waiting: { readonly since: number; readonly done: () => void }[] = [];
  let isCommitting = false;

  async function commit(): Promise<void> {
    isCommitting = true;
    const group = waiting;
    waiting = [];
    const batch = level.batch();
    for (let i = 0; i < group.length; i++) {
      batch.put(Buffer.from(`kbench-${String(Math.floor(Math.random() * KEYS)).padStart(10, '0')}`), RECORD);
      batch.put(Buffer.from(`l${String(++written).padStart(22, '0')}`), LOGGED);
    }
    await batch.write({ sync: true });
    const now = performance.now();
    for (const { since, done } of group) {
      timesMs.push(now - since);
      done();
    }
    isCommitting = false;
    if (waiting.length > 0) void commit();
  }

  async function writer(): Promise<void> {
    while (performance.now() < endsAt) {
      await new Promise<void>((done) => {
        waiting.push({ since: performance.now(), done });
        if (!isCommitting) void commit();
      });
    }
  }

  await Promise.all(Array.from({ length: writers }, writer));
  const elapsed = (performance.now() - startedAt) / 1000;
  timesMs.sort((left, right) => left - right);
  const at = (part: number): number => timesMs[Math.floor(timesMs.length * part)]!;
  return {
    requests: timesMs.length,
    seconds: elapsed,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    p999Ms: at(0.999),
    bytesReceived: undefined,
    generatorBusy: 0,
  };
}

process.on('message', (order: { folder: string; writers: number } | { seconds: number }) => {
  if ('folder' in order) {
    writers = order.writers;
    void open(order.folder).then(() => process.send!('open'));
  } else void run(order.seconds).then((told) => process.send!(told));
});
process.once('disconnect', () => process.exit(0));
