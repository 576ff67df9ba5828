// How do a million writes get in soon? Each is a request of its own, on disk before it is acknowledged; but many connections
// have one under way. (More of one connection are no use: a replica carries out one at a time.)
//
// This is a process of its own: it is told what to write by one message, tells how far it is, and ends.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { randomBytes } from 'node:crypto';
import { keyOf, VALUE_BYTES, type WriteLoad, type WriterMessage } from './write-load.js';

/** At each replica: enough that every commit there is a large one. */
const CLIENTS = 512;

const TELL_EVERY_MS = 200;
/** A steady load is sent in steps of this length. */
const PACE_EVERY_MS = 2;
const RANDOM_BYTES = 640 * VALUE_BYTES;
const HEAD_END = Buffer.from('\r\n\r\n');
const ACKNOWLEDGED = Buffer.from('HTTP/1.1 204 ');

let done = 0;
let sent = 0;
/** How many may have been sent by now. */
let due = Infinity;

async function write({ method, urls, indices, perSecond, clients = CLIENTS }: WriteLoad): Promise<number> {
  const queues = urls.map((): number[] => []);
  for (const index of indices) queues[Math.floor(Math.random() * urls.length)]!.push(index);
  const requests = urls.map((url, place) => requestsOf(method, new URL(url).hostname, queues[place]!));
  const startedAt = performance.now();
  // A paced load asks them in this order: one after another, each at the next replica.
  const sockets = Array.from({ length: clients }, () => urls.map((url) => connected(new URL(url)))).flat();
  const open = await Promise.all(sockets);
  if (perSecond !== undefined) pace(performance.now(), perSecond);
  await Promise.all(open.map((socket, place) => sendAll(socket, requests[place % urls.length]!)));
  return (performance.now() - startedAt) / 1000;
}

async function connected({ hostname, port }: URL): Promise<Socket> {
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  await once(socket, 'connect');
  return socket;
}

/** Who waits to be allowed to send more, each in its turn. */
const waiting = new Set<() => void>();

function pace(startedAt: number, perSecond: number): void {
  due = 0;
  setInterval(() => {
    const all = ((performance.now() - startedAt) / 1000) * perSecond;
    // A connection with a request under way is passed over.
    for (let left = waiting.size; left > 0 && sent < all; left--) {
      const [send] = waiting as Set<() => void>;
      waiting.delete(send!);
      waiting.add(send!);
      due = sent + 1;
      const before = sent;
      send!();
      if (sent > before) left = waiting.size + 1;
    }
  }, PACE_EVERY_MS).unref();
}

function* requestsOf(method: WriteLoad['method'], host: string, indices: readonly number[]): Generator<Buffer, void> {
  for (const index of indices) {
    const line = `${method} /v1/kv/${keyOf(index)} HTTP/1.1\r\nHost: ${host}\r\n`;
    if (method === 'DELETE') yield Buffer.from(`${line}\r\n`);
    else {
      const headers = `Content-Length: ${VALUE_BYTES}\r\nPrefer: return=minimal\r\n`;
      yield Buffer.concat([Buffer.from(`${line}${headers}\r\n`), randomValue()]);
    }
  }
}

let random = Buffer.alloc(0);

/** Taken from many bytes that were asked for at once: to ask for each value took a seventh of the time of this process. */
function randomValue(): Buffer {
  if (random.length < VALUE_BYTES) random = randomBytes(RANDOM_BYTES);
  const value = random.subarray(0, VALUE_BYTES);
  random = random.subarray(VALUE_BYTES);
  return value;
}

/** One after the other, until nothing is left. Every answer is a head alone; any but 204 ends it all. */
function sendAll(socket: Socket, requests: Iterator<Buffer, void>): Promise<void> {
  let isUnderWay = false;
  let answer: Buffer = Buffer.alloc(0);
  const send = (): void => {
    if (isUnderWay || sent >= due) return;
    const next = requests.next();
    if (next.done === true) {
      waiting.delete(send);
      socket.end();
      return;
    }
    socket.write(next.value);
    sent++;
    isUnderWay = true;
  };
  waiting.add(send);
  return new Promise((resolve, reject) => {
    socket.on('data', (piece: Buffer) => {
      answer = Buffer.concat([answer, piece]);
      if (!answer.subarray(0, ACKNOWLEDGED.length).equals(ACKNOWLEDGED.subarray(0, answer.length))) {
        socket.destroy(new Error(`a write was answered: ${answer.toString().slice(0, 500)}`));
      } else if (answer.subarray(-HEAD_END.length).equals(HEAD_END)) {
        answer = Buffer.alloc(0);
        isUnderWay = false;
        done++;
        send();
      }
    });
    socket.on('error', reject);
    socket.on('close', () => (isUnderWay ? reject(new Error('a replica closed a connection')) : resolve()));
    send();
  });
}

function tell(message: WriterMessage): void {
  process.send!(message);
}

process.once('message', (load: WriteLoad) => {
  const timer = setInterval(() => tell({ kind: 'progress', done }), TELL_EVERY_MS);
  write(load).then(
    (seconds) => {
      clearInterval(timer);
      process.send!({ kind: 'done', seconds } satisfies WriterMessage, () => process.exit(0));
    },
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
