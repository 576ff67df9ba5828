// What do the figures of replication look like?

import { availableParallelism, cpus, loadavg } from 'node:os';
import { number } from '../../demo/report.js';
import type { BarGroup } from '../chart.js';
import { KEY_BYTES, VALUE_BYTES } from '../recovery/write-load.js';
import { newestNode } from '../targets/node-binaries.js';
import type { WireBytes } from './bytes.js';
import type { Shares } from './shares.js';
import { CLIENTS, REPLICAS, WARM_SECONDS, type Visibility } from './visibility.js';

export interface Report {
  readonly visibility: readonly Visibility[];
  readonly shares: Shares;
  readonly bytes: WireBytes;
  readonly size: { readonly seconds: number; readonly writes: number };
  readonly plot: string;
}

export function markdown({ visibility, shares, bytes, size, plot }: Report): string {
  const { takenMicros, appliedMicros } = shares;
  return `# Replication

How soon is a write everywhere, and what does that cost? To repeat it:

    npm run bench:replication

- ${cpus()[0]!.model.trim()}, ${availableParallelism()} cores, Node ${newestNode().version}, ${new Date().toISOString().slice(0, 10)}; the machine's load average at the end was ${loadavg()[0]!.toFixed(1)}
- ${REPLICAS} replicas, each a process of its own; all of them and who writes share these cores
- New keys of ${KEY_BYTES} B with random values of ${VALUE_BYTES} B, on disk before each is acknowledged; ${number(size.writes)} of them, or ${size.seconds} s of a steady load

## From the acknowledgement until every replica shows it

A probe writes at one replica and reads at the three others, each by a request with the session of the write, which is answered
as soon as the replica has it. The way there and back is in it. The load comes at all replicas, from ${CLIENTS} clients at each
that wait for an answer before they send again; a steady one asks one replica after another, and has run for ${WARM_SECONDS} s before.
Half of the rate at which they keep level is half of what comes to be at all of them in a second. The processor time has the
probes in it, twenty a second.

| load | writes/s | until all have them | probes | p50 ms | p99 ms | most ms | CPU µs of a write, all replicas | of a write and replica |
|---|--:|--:|--:|--:|--:|--:|--:|--:|
${visibility.map(row).join('\n')}

![Time until every replica shows a write](${plot})

## Taking a write, and applying one

| | CPU µs of a write |
|---|--:|
| the replica that takes it from a client, and tells three others | ${takenMicros.toFixed(1)} |
| each of the others | ${appliedMicros.toFixed(1)} |
| in parts of the first | ${(appliedMicros / takenMicros).toFixed(2)} |

## Bytes

As fast as they are taken, ${bytes.writesPerRequest.toFixed(0)} writes travel in one request, comparisons of clocks included.

| to one peer, for one write | B | of key and value |
|---|--:|--:|
| key and value | ${bytes.written} | 1.00 |
| bodies of requests and answers | ${bytes.bodyBytesPerWrite.toFixed(1)} | ${(bytes.bodyBytesPerWrite / bytes.written).toFixed(2)} |
| with their heads | ${bytes.bytesPerWrite.toFixed(1)} | ${(bytes.bytesPerWrite / bytes.written).toFixed(2)} |
`;
}

function row({ what, writesPerSecond, levelPerSecond, sortedMs, cpuMicrosPerWrite }: Visibility): string {
  const cpu = (parts: number): string =>
    cpuMicrosPerWrite === undefined ? '' : (cpuMicrosPerWrite / parts).toFixed(0);
  const cells = [
    what,
    number(writesPerSecond),
    number(levelPerSecond),
    number(sortedMs.length),
    at(sortedMs, 0.5).toFixed(1),
    at(sortedMs, 0.99).toFixed(1),
    sortedMs.at(-1)!.toFixed(1),
    cpu(1),
    cpu(REPLICAS),
  ];
  return `| ${cells.join(' | ')} |`;
}

export function bars(visibility: readonly Visibility[]): readonly BarGroup[] {
  return [0.5, 0.99].map((part) => ({
    title: `p${part * 100}: milliseconds until every replica shows a write`,
    bars: visibility.map(({ what, sortedMs }) => {
      const value = at(sortedMs, part);
      return { label: what, value, text: value.toFixed(1), color: 0 };
    }),
  }));
}

function at(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]!;
}
