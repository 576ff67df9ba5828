// Who sends the requests? This process, with autocannon, so that it has a core of its own. It is told what to do by one
// message, answers with one, and ends.

import autocannon, { type Client } from 'autocannon';
import { keyOf, VALUE_BYTES, type Load, type Measurement } from './load.js';

async function generate({ method, urls, connections, keys, seconds }: Load): Promise<Measurement> {
  const connectionsEach = connections / urls.length;
  const keysEach = Math.ceil(keys / connections);
  const body = 'v'.repeat(VALUE_BYTES);
  let connected = 0;
  const setupClient = (client: Client): void => {
    const requests = [];
    for (let index = connected++ % connections; index < keys; index += connections) {
      const path = `/v1/kv/${keyOf(index)}`;
      requests.push(method === 'PUT' ? { method, path, body } : { method, path });
    }
    client.setRequests(requests);
  };

  const timesMs: number[] = [];
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  const results = await Promise.all(
    urls.map((url) => {
      const end = seconds === undefined ? { amount: keysEach * connectionsEach } : { duration: seconds };
      const instance = autocannon({ url, connections: connectionsEach, setupClient, ...end });
      instance.on('response', (_client, _status, _bytes, ms: number) => timesMs.push(ms));
      return instance;
    }),
  );
  const elapsed = (performance.now() - startedAt) / 1000;
  const cpu = process.cpuUsage(cpuBefore);

  for (const { errors, non2xx } of results) {
    if (errors + non2xx > 0)
      throw new Error(`${method}: ${errors} errors and ${non2xx} refusals; nothing is measured so`);
  }
  timesMs.sort((left, right) => left - right);
  return {
    requests: timesMs.length,
    seconds: elapsed,
    p50Ms: timesMs[Math.floor(timesMs.length * 0.5)]!,
    p99Ms: timesMs[Math.floor(timesMs.length * 0.99)]!,
    generatorBusy: (cpu.user + cpu.system) / 1e6 / elapsed,
  };
}

process.once('message', (load: Load) => {
  generate(load).then(
    (measurement) => process.send!(measurement, () => process.exit(0)),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
