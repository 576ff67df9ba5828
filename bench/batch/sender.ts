// Who writes the records? This process, so that it has a core of its own: over some connections that are kept, one request
// after the other on each, with one record in a request or many. It is told what to do by one message, answers with one,
// and ends.

import { Agent, request } from 'node:http';

export const VALUE_BYTES = 100;

export interface Order {
  readonly url: string;
  readonly connections: number;
  /** 1: a PUT for each; more: batches of so many. */
  readonly recordsPerRequest: number;
  readonly seconds: number;
  /** The records of one order have keys of their own. */
  readonly prefix: string;
}

export interface Sent {
  readonly records: number;
  readonly requests: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of one core, from 0 to 1. */
  readonly senderBusy: number;
}

const VALUE = 'v'.repeat(VALUE_BYTES);

async function send(order: Order): Promise<Sent> {
  const agent = new Agent({ keepAlive: true, maxSockets: order.connections });
  const timesMs: number[] = [];
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  const endAt = startedAt + order.seconds * 1000;
  let next = 0;
  const connection = async (): Promise<void> => {
    while (performance.now() < endAt) {
      const first = next;
      next += order.recordsPerRequest;
      const sentAt = performance.now();
      await write(agent, order, first);
      timesMs.push(performance.now() - sentAt);
    }
  };
  await Promise.all(Array.from({ length: order.connections }, connection));
  const seconds = (performance.now() - startedAt) / 1000;
  const cpu = process.cpuUsage(cpuBefore);
  agent.destroy();
  timesMs.sort((left, right) => left - right);
  return {
    records: timesMs.length * order.recordsPerRequest,
    requests: timesMs.length,
    seconds,
    p50Ms: timesMs[Math.floor(timesMs.length * 0.5)]!,
    p99Ms: timesMs[Math.floor(timesMs.length * 0.99)]!,
    senderBusy: (cpu.user + cpu.system) / 1e6 / seconds,
  };
}

async function write(agent: Agent, { url, recordsPerRequest, prefix }: Order, first: number): Promise<void> {
  if (recordsPerRequest === 1) {
    const answer = await exchange(agent, `${url}/v1/kv/${prefix}-${first}`, 'PUT', VALUE, 'text/plain');
    if (answer.status !== 201) throw new Error(`a PUT was answered ${answer.status}: ${answer.body}`);
    return;
  }
  let body = '';
  for (let i = first; i < first + recordsPerRequest; i++) {
    body += `{"op":"put","key":"${prefix}-${i}","value":"${VALUE}","contentType":"text/plain"}\n`;
  }
  const answer = await exchange(agent, `${url}/v1/batch`, 'POST', body, 'application/x-ndjson');
  const taken = answer.body.split('"status":201').length - 1;
  if (answer.status !== 200 || taken !== recordsPerRequest) {
    throw new Error(
      `${taken} of ${recordsPerRequest} records were taken: ${answer.status} ${answer.body.slice(0, 300)}`,
    );
  }
}

function exchange(agent: Agent, url: string, method: string, body: string, contentType: string) {
  return new Promise<{ status: number; body: string }>((resolve, reject) => {
    const headers = { 'Content-Type': contentType, 'Content-Length': Buffer.byteLength(body) };
    const req = request(url, { agent, method, headers }, (res) => {
      const chunks: Buffer[] = [];
      res.on('data', (chunk: Buffer) => chunks.push(chunk));
      res.on('end', () => resolve({ status: res.statusCode!, body: Buffer.concat(chunks).toString() }));
    });
    req.on('error', reject);
    req.end(body);
  });
}

process.once('message', (order: Order) => {
  send(order).then(
    (sent) => process.send!(sent, () => process.exit(0)),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
