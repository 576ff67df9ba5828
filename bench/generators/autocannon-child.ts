// This process sends the requests with autocannon, so that they have a core of their own. It is told what to do by one
// message, answers with one, and ends.

import autocannon, { type Client } from 'autocannon';
import type { Load, Measurement } from '../load.js';

async function generate({ urls, connections, requests, seconds }: Load): Promise<Measurement> {
  const connectionsEach = connections / urls.length;
  let connected = 0;
  const setupClient = (client: Client): void => {
    const place = connected++ % connections;
    client.setRequests(requests.filter((_, index) => index % connections === place));
  };

  const timesMs: number[] = [];
  let bytesReceived = 0;
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  const results = await Promise.all(
    urls.map((url) => {
      const end = seconds === undefined ? { amount: Math.ceil(requests.length / urls.length) } : { duration: seconds };
      const instance = autocannon({ url, connections: connectionsEach, setupClient, ...end });
      instance.on('response', (_client, _status, bytes: number, ms: number) => {
        timesMs.push(ms);
        bytesReceived += bytes;
      });
      return instance;
    }),
  );
  const elapsed = (performance.now() - startedAt) / 1000;
  const cpu = process.cpuUsage(cpuBefore);
  for (const { errors, non2xx } of results) {
    if (errors + non2xx > 0) throw new Error(`${errors} failures and ${non2xx} refusals; nothing is measured so`);
  }
  timesMs.sort((left, right) => left - right);
  const at = (part: number): number => timesMs[Math.floor(timesMs.length * part)]!;
  return {
    requests: timesMs.length,
    seconds: elapsed,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    p999Ms: at(0.999),
    bytesReceived,
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
