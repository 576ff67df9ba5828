// Sends load to NATS: so many callers that each wait for their answer, over one connection, as its client does it.

import type { Measurement } from '../load.js';
import type { NatsOrder } from './nats.js';

interface Kv {
  get(key: string): Promise<unknown>;
  put(key: string, value: Uint8Array): Promise<unknown>;
}

interface Client {
  connect(options: object): Promise<{
    jetstream(): { views: { kv(name: string, options: object): Promise<Kv> } };
    close(): Promise<void>;
  }>;
}

async function run({ client, port, keys, bytes, connections, what, seconds }: NatsOrder): Promise<Measurement> {
  const nats = (await import(client)) as Client;
  const connection = await nats.connect({ servers: `127.0.0.1:${port}` });
  const kv = await connection.jetstream().views.kv('bench', { history: 1 });
  const value = Buffer.alloc(bytes, 'v');
  const timesMs: number[] = [];
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  let sent = 0;
  const isOver = (): boolean =>
    what === 'load' ? sent >= keys.length : performance.now() - startedAt >= seconds * 1000;
  async function caller(): Promise<void> {
    while (!isOver()) {
      const place = sent++;
      const key = what === 'load' ? keys[place]! : keys[Math.floor(Math.random() * keys.length)]!;
      const since = performance.now();
      await (what === 'get' ? kv.get(key) : kv.put(key, value));
      timesMs.push(performance.now() - since);
    }
  }
  await Promise.all(Array.from({ length: connections }, caller));
  const elapsed = (performance.now() - startedAt) / 1000;
  const cpu = process.cpuUsage(cpuBefore);
  await connection.close();
  timesMs.sort((left, right) => left - right);
  const at = (part: number): number => timesMs[Math.floor(timesMs.length * part)]!;
  return {
    requests: timesMs.length,
    seconds: elapsed,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    p999Ms: at(0.999),
    bytesReceived: undefined,
    generatorBusy: (cpu.user + cpu.system) / 1e6 / elapsed,
  };
}

process.once('message', (order: NatsOrder) => {
  run(order).then(
    (told) => process.send!(told, () => process.exit(0)),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
