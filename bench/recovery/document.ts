// What do the figures say, and how were they got? The whole document, from what was measured.

import { availableParallelism, cpus, loadavg } from 'node:os';
import { number, quantile } from '../../demo/report.js';
import { newestNode } from '../targets/node-binaries.js';
import { REQUESTS_PER_SECOND, type CatchUps } from './catch-up.js';
import type { Deletes } from './deletes.js';
import type { Growth } from './growth.js';
import type { Latencies } from './light-load.js';
import { DESIGNS } from './merkle.js';
import type { Comparison } from './plot.js';
import { KEY_BYTES, VALUE_BYTES } from './write-load.js';

/** Catching up is required to be at least this fast, on two cores. */
const KEYS_PER_SECOND_MIN = 50_000;

const MIB = 2 ** 20;

export interface Results {
  readonly catchUp?: readonly CatchUps[];
  readonly growth?: Growth;
  readonly comparisons?: readonly Comparison[];
  readonly deletes?: Deletes;
  readonly minutes: number;
  readonly command: string;
}

export function markdown({ catchUp, growth, comparisons, deletes, minutes, command }: Results, plot: string): string {
  const sections = [
    intro(minutes, command),
    catchUp && catchUpSection(catchUp),
    growth && idleSection(growth),
    comparisons && repairSection(comparisons, plot),
    growth && footprintSection(growth),
    deletes && deletesSection(deletes),
  ];
  return `${sections.filter((section) => section !== undefined).join('\n\n')}\n`;
}

function intro(minutes: number, command: string): string {
  const load = loadavg()[2]!.toFixed(1);
  return `# Recovery

How soon is a replica level again, what does it cost to be level, and what is left of what is gone? To repeat it:

    ${command}

- ${cpus()[0]!.model.trim()}, ${availableParallelism()} cores, Node ${newestNode().version}, ${new Date().toISOString().slice(0, 10)}
- It took ${number(minutes, 1)} minutes, the machine's load average at the end was ${load}
- Each replica is a process of its own; all of them, the proxies between them, and the clients share these cores, so every
  rate is lower than on machines of their own
- Keys of ${KEY_BYTES} B, values of ${VALUE_BYTES} random bytes, which nothing can compress; each write a request of its own, and
  on disk before it is acknowledged
- Bytes are what TCP carries between replicas, both ways: heads and bodies of HTTP, without the headers of TCP and IP`;
}

function catchUpSection(results: readonly CatchUps[]): string {
  return `## Catching up

One of four replicas is away while the others are written to. Time runs from its first contact until its clock covers what
the others knew at that moment; of the one that was stopped, from its first answer to a client, before it has talked to another
one. That one asks the others without a proxy between; through the proxies that cut, which count, too, the other one gets what it
missed, and they take a part of the two cores. Required: ${number(KEYS_PER_SECOND_MIN)} keys/s. Each run in a cluster of its own; the row is the run in the middle.

${table(
  ['', 'missed', 'seconds', 'keys/s', 'all runs', 'restart until ready', 'bytes per key'],
  results.map(({ what, missed, seconds, rates, readySeconds, traffic }) => [
    what,
    missed === undefined ? '' : number(missed),
    number(seconds, 2),
    missed === undefined ? '' : rate(missed / seconds),
    rates.map((each) => number(each)).join(', '),
    readySeconds === undefined ? '' : `${number(readySeconds, 2)} s`,
    missed === undefined || traffic === undefined ? '' : number(traffic.bytes / missed),
  ]),
)}

Meanwhile clients ask the one that was away, and one of the others, ${REQUESTS_PER_SECOND} times a second each, reads and writes in turn. Latency in
ms, from the moment when a request was due:

${table(
  ['', 'it: GET p50', 'GET p99', 'PUT p50', 'PUT p99', 'another: GET p50', 'GET p99', 'PUT p50', 'PUT p99', 'requests'],
  results.map(({ what, away, witness }) => [
    what,
    ...latencyCells(away),
    ...latencyCells(witness),
    number([away, witness].reduce((sum, { get, put }) => sum + get.length + put.length, 0)),
  ]),
)}`;
}

function rate(keysPerSecond: number): string {
  return keysPerSecond < KEYS_PER_SECOND_MIN ? `${number(keysPerSecond)} (not met)` : number(keysPerSecond);
}

function idleSection({ idle }: Growth): string {
  return `## At rest

Four replicas that agree, and no client. Per directed link: one replica's requests with the other's answers. They are clocks,
one counter for each replica; a counter of more writes may take a byte more, and nothing else grows with the keys.

${table(
  ['keys', 'bytes/s', 'of them bodies', 'messages/s'],
  idle.map(({ keys, bytesPerSecond, bodyBytesPerSecond, messagesPerSecond }) => [
    number(keys),
    number(bytesPerSecond),
    number(bodyBytesPerSecond),
    number(messagesPerSecond, 1),
  ]),
)}`;
}

function repairSection(comparisons: readonly Comparison[], plot: string): string {
  const names = DESIGNS.map(({ name }) => name);
  return `## Bytes of a repair

*n* keys in all, *d* of them differ between a replica that was cut off and the others. Bytes until it is level and nothing
more comes, less those of an idle cluster in the same time; beside them those of a comparison of Merkle trees, computed
on real trees of as many keys. What the trees are assumed to do, all in their favour, stands in
\`bench/recovery/merkle.ts\`: two replicas compare once, hashes of 16 B, only bodies count, trees cost nothing to keep. *Of
the best*: Quartet's bytes, divided by those of the tree that sends the fewest.

${table(
  ['n', 'd', 'Quartet', 'of them bodies', ...names, 'of the best'],
  comparisons.map(({ repair, merkle }) => [
    number(repair.keys),
    number(repair.differing),
    number(repair.bytes),
    number(repair.bodyBytes),
    ...merkle.map((bytes) => number(bytes)),
    (repair.bytes / Math.min(...merkle)).toFixed(2),
  ]),
)}

![Bytes of a repair by the number of keys](${plot})`;
}

function footprintSection(growth: Growth): string {
  const { keys, few, all, bootstrap } = growth;
  const beyond = (diskBytes: number): string => number(diskBytes / keys - KEY_BYTES - VALUE_BYTES, 1);
  const memory = (all.memoryBytes - few.memoryBytes) / (keys - few.keys);
  return `## ${number(keys)} keys

${table(
  ['', ''],
  [
    ['loaded through all four at once', `${number(growth.loadPerSecond)} keys/s`],
    ['bytes on disk per key beyond key and value, after the load', beyond(growth.loadedDiskBytes)],
    ['the same, when compaction has settled', beyond(growth.settledDiskBytes)],
    [`memory of a replica, idle after a restart, ${number(few.keys)} keys`, `${number(few.memoryBytes / MIB)} MiB`],
    [`memory of a replica, idle after a restart, ${number(keys)} keys`, `${number(all.memoryBytes / MIB)} MiB`],
    ['bytes of memory per key', number(memory, 1)],
    [`restart until ready, ${number(few.keys)} keys`, `${number(few.readySeconds, 2)} s`],
    [`restart until ready, ${number(keys)} keys`, `${number(all.readySeconds, 2)} s`],
  ],
)}

A fifth replica with an empty disk joins the four. Time runs from its first contact until its clock covers what the others
knew at that moment.

${table(
  ['', ''],
  [
    ['level after', `${number(bootstrap.seconds, 1)} s, ${number(keys / bootstrap.seconds)} keys/s`],
    ['start until ready', `${number(bootstrap.readySeconds, 2)} s`],
    ['bytes over its links, per key', number(bootstrap.traffic.bytes / keys)],
    ['its memory when it is level', `${number(bootstrap.memoryBytes / MIB)} MiB`],
    ['its bytes on disk per key beyond key and value', beyond(bootstrap.diskBytes)],
  ],
)}

Latency at the replica that sends it the most (${bootstrap.source}), in ms, at 25 requests/s at each of the four:

${table(
  ['', 'GET p50', 'GET p99', 'PUT p50', 'PUT p99', 'requests'],
  (
    [
      ['before', bootstrap.sourceBefore],
      ['while the fifth joins', bootstrap.sourceMeanwhile],
    ] as const
  ).map(([what, met]) => [what, ...latencyCells(met), number(met.get.length + met.put.length)]),
)}`;
}

function deletesSection({ keys, emptyBytes, rounds }: Deletes): string {
  return `## Everything deleted

${number(keys)} keys are written and then all deleted, each at a random replica; every round has keys of its own. Figures of one
replica, once all replicas know; before the first round its folder takes ${number(emptyBytes / MIB, 2)} MiB. *Listed*: at all four.

${table(
  ['round', 'on disk, written', 'on disk, deleted', 'log entries', 'keys listed'],
  rounds.map(({ writtenBytes, deletedBytes, isSettled, logEntries, keysListed }, place) => [
    String(place + 1),
    `${number(writtenBytes / MIB, 1)} MiB`,
    `${number(deletedBytes / MIB, 1)} MiB${isSettled ? '' : ', still changing'}`,
    number(logEntries),
    number(keysListed),
  ]),
)}`;
}

function latencyCells({ get, put }: Latencies): readonly string[] {
  return [get, put].flatMap((times) =>
    [0.5, 0.99].map((part) => (times.length > 0 ? number(quantile(times, part), 1) : '')),
  );
}

/** The first column says what a row is; the others are figures. */
function table(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rule = heading.map((_, place) => (place === 0 ? '---' : '--:'));
  return [line(heading), `|${rule.join('|')}|`, ...rows.map(line)].join('\n');
}
