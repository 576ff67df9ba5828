// Who asks a replica for something now and then, while it is busy with something else? This process. Requests are due at
// fixed moments, whether or not the ones before are answered, as clients that know nothing of each other would send them.

import { ReplicaClient } from '../../test/support/process-client.js';
import type { Latencies, LightLoadAnswer, LightLoadOrder, Target } from './light-load.js';
import { keyOf, VALUE_BYTES } from './write-load.js';

/** Writes go to keys of their own, so that the sets that are measured stay as they are. */
const LIGHT_KEYS = 1000;
const TIMEOUT_MS = 30_000;
const SOCKETS = 32;

interface Met extends Latencies {
  readonly get: number[];
  readonly put: number[];
  unanswered: number;
  underWay: number;
}

/** By target. Requests count for the measurement in which they were due, whenever they are answered. */
let met = new Map<string, Met>();

let isFinished = false;

const nothing = (): Met => ({ get: [], put: [], unanswered: 0, underWay: 0 });

function forget(): ReadonlyMap<string, Met> {
  const before = met;
  met = new Map([...met.keys()].map((name) => [name, nothing()]));
  return before;
}

/** What was met up to now, once the last request is answered: the slowest ones are what this is about. */
async function whole(): Promise<ReadonlyMap<string, Met>> {
  const ended = forget();
  while ([...ended.values()].some(({ underWay }) => underWay > 0))
    await new Promise((resolve) => setTimeout(resolve, 10));
  return ended;
}

function trickle({ name, url, requestsPerSecond }: Target, keys: number): void {
  const client = new ReplicaClient(url, { sockets: SOCKETS });
  const everyMs = 1000 / requestsPerSecond;
  let dueAt = performance.now() + Math.random() * everyMs;
  let isRead = false;
  const next = (): void => {
    if (isFinished) return;
    for (; dueAt <= performance.now(); dueAt += everyMs) {
      isRead = !isRead;
      void ask(client, isRead ? 'get' : 'put', dueAt, met.get(name)!, keys);
    }
    setTimeout(next, dueAt - performance.now());
  };
  met.set(name, nothing());
  next();
}

async function ask(client: ReplicaClient, kind: 'get' | 'put', dueAt: number, into: Met, keys: number): Promise<void> {
  into.underWay++;
  try {
    if (kind === 'get') {
      const path = `/v1/kv/${keyOf(Math.floor(Math.random() * keys))}`;
      await client.request('GET', path, { timeoutMs: TIMEOUT_MS });
    } else {
      const path = `/v1/kv/light-${Math.floor(Math.random() * LIGHT_KEYS)}`;
      await client.request('PUT', path, { body: Buffer.alloc(VALUE_BYTES, 'v'), timeoutMs: TIMEOUT_MS });
    }
    into[kind].push(performance.now() - dueAt);
  } catch {
    into.unanswered++;
  } finally {
    into.underWay--;
  }
}

function tell(latencies: ReadonlyMap<string, Latencies>): void {
  process.send!({ latencies } satisfies LightLoadAnswer);
}

process.on('message', (order: LightLoadOrder) => {
  switch (order.kind) {
    case 'start':
      for (const target of order.targets) trickle(target, order.keys);
      return tell(new Map());
    case 'begin':
      forget();
      return tell(new Map());
    case 'end':
      return void whole().then(tell);
    case 'finish':
      isFinished = true;
      return void whole().then(tell);
  }
});
process.once('disconnect', () => process.exit(0));
