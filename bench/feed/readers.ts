// Who follows the changes? This process: many streams of server-sent events, each on a connection of its own. It notes when
// each reader is told of each write, and how long after the write's acknowledgement that was.

import { request, type IncomingMessage } from 'node:http';
import { KEYS, steadyMs, type FollowAnswer, type FollowOrder } from './follow.js';

/** Latencies are counted in steps of this. */
const STEP_MS = 0.1;
const STEPS = 600_000;

/** What is on its way at the end arrives within this. */
const ENDING_MS = 10_000;

const counts = new Uint32Array(STEPS);
const acknowledged = new Map<number, number>();
/** By write that nobody has said to be acknowledged yet, when readers were told of it. */
const early = new Map<number, number[]>();
const readers: { last: Int32Array }[] = [];
let told = 0;
let events = 0;
let maxMs = 0;
let cutOff = 0;
let isCounting = false;
let beganAtMs = 0;
let usage = process.cpuUsage();

function count(latencyMs: number): void {
  if (!isCounting) return;
  // The event may overtake the answer.
  const waitedMs = Math.max(0, latencyMs);
  counts[Math.min(STEPS - 1, Math.floor(waitedMs / STEP_MS))]!++;
  maxMs = Math.max(maxMs, waitedMs);
  told++;
}

function quantile(share: number): number {
  let left = told * share;
  for (let step = 0; step < STEPS; step++) if ((left -= counts[step]!) <= 0) return (step + 1) * STEP_MS;
  return STEPS * STEP_MS;
}

function arrived(write: number, last: Int32Array, atMs: number): void {
  last[write % KEYS] = Math.max(last[write % KEYS]!, write);
  const acknowledgedAtMs = acknowledged.get(write);
  if (acknowledgedAtMs !== undefined) return count(atMs - acknowledgedAtMs);
  const waiting = early.get(write);
  if (waiting === undefined) early.set(write, [atMs]);
  else waiting.push(atMs);
}

async function follow(url: string): Promise<void> {
  const response = await open(url);
  const last = new Int32Array(KEYS).fill(-1);
  readers.push({ last });
  let text = '';
  response.setEncoding('latin1');
  response.on('data', (piece: string) => {
    text += piece;
    const end = text.lastIndexOf('\n\n');
    if (end < 0) return;
    const atMs = steadyMs();
    const whole = text.slice(0, end + 2);
    text = text.slice(end + 2);
    for (const [, write] of whole.matchAll(/"value":"(\d+) /g)) arrived(Number(write), last, atMs);
    if (isCounting) events += whole.split('\n\n').length - 1;
  });
  response.on('close', () => {
    throw new Error(`the stream of ${url} has ended`);
  });
}

async function stall(url: string): Promise<void> {
  const response = await open(url);
  response.on('close', () => cutOff++);
  response.on('error', () => {});
  response.pause();
}

function open(url: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent: false }, (response) => {
      if (response.statusCode === 200) resolve(response);
      else reject(new Error(`${url} answers ${response.statusCode}`));
    });
    sent.on('error', reject);
    sent.end();
  });
}

async function end(lastWrite: number): Promise<void> {
  const isWhole = ({ last }: { last: Int32Array }): boolean =>
    last.every((write, key) => write === lastWrite - ((((lastWrite - key) % KEYS) + KEYS) % KEYS));
  const untilMs = steadyMs() + ENDING_MS;
  const { user, system } = process.cpuUsage(usage);
  const busy = (user + system) / 1000 / (steadyMs() - beganAtMs);
  while (steadyMs() < untilMs && !readers.every(isWhole)) await new Promise((resolve) => setTimeout(resolve, 50));
  isCounting = false;
  const incomplete = readers.filter((reader) => !isWhole(reader)).length;
  const [p50Ms, p99Ms] = [quantile(0.5), quantile(0.99)];
  tell({ kind: 'followed', p50Ms, p99Ms, maxMs, told, events, incomplete, cutOff, busy });
}

function tell(answer: FollowAnswer): void {
  process.send!(answer);
}

process.on('message', (order: FollowOrder) => {
  switch (order.kind) {
    case 'follow':
      return void Promise.all([...order.urls.map(follow), ...order.stalledUrls.map(stall)]).then(() =>
        tell({ kind: 'ready' }),
      );
    case 'begin':
      isCounting = true;
      beganAtMs = steadyMs();
      usage = process.cpuUsage();
      return;
    case 'acknowledged':
      for (const [write, atMs] of order.writes) {
        acknowledged.set(write, atMs);
        for (const arrivedAtMs of early.get(write) ?? []) count(arrivedAtMs - atMs);
        early.delete(write);
        // A write that is as old as this has been told of, or something newer of its key.
        acknowledged.delete(write - 60 * KEYS);
      }
      return;
    case 'end':
      return void end(order.last);
  }
});
process.once('disconnect', () => process.exit(0));
