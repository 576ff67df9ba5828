// What do the measurements say? Medians of all repeats, ratios to the bare server of the same repeat, and what they are of.

import { loadavg } from 'node:os';
import { number } from '../demo/report.js';
import type { Bar, BarGroup } from './chart.js';
import { describeCores } from './cores.js';
import { GENERATOR } from './generators/generate.js';
import { cpuMicrosOf, median, medianOf, medianRatio, rateOf, type Cell, type Sample } from './measure.js';
import type { Row } from './rows.js';
import type { Target } from './targets/target.js';

/** Beyond this the generator, and not the server, set the rate. */
const GENERATOR_BUSY_MAX = 0.9;

const MIB = 2 ** 20;

export interface Footprint {
  readonly target: Target;
  readonly peakBytes: number;
  readonly diskBytes: number;
}

export interface Report {
  readonly cells: readonly Cell[];
  readonly footprints: readonly Footprint[];
  readonly settings: readonly string[];
  readonly missing: readonly string[];
  readonly command: string;
  readonly plot: string;
}

export function markdown({ cells, footprints, settings, missing, command, plot }: Report): string {
  const rows = [...new Set(cells.map(({ row }) => row))];
  return `# Speed

The same machine, the same run, the servers in turn. To repeat it:

    ${command}

${machine(settings)
  .map((line) => `- ${line}`)
  .join('\n')}

${rows.map((row) => section(row, cells)).join('\n\n')}

*Of bare*: the rate, divided by that of the bare \`node:http\` server in the same repeat, on the same Node where there are several;
the median of these ratios.
*By CPU*: the same of processor time for a request, all servers together, replication and disk included; it holds however
busy the generator, or the machine, is. *CPU*: seconds of processor time for a million requests, with what is left for later: the
next server begins when this one takes less than a tenth of a core, and the disk has all. *Bytes*: of an answer, head
and body. ${generatorNote(cells)}

![Requests per second](${plot})

## Memory and disk

The most memory resident, all servers together, and what they have on disk at the end, after all rows.

| | memory, MiB | disk, MiB |
|---|--:|--:|
${footprints.map(({ target, peakBytes, diskBytes }) => `| ${target.title} | ${number(peakBytes / MIB)} | ${target.folders.length === 0 ? '' : number(diskBytes / MIB)} |`).join('\n')}

## What was measured

${footprints.map(({ target }) => `- **${target.title}**: ${target.settings}`).join('\n')}
${missing.length === 0 ? '' : `\nNot installed, and so not measured: ${missing.join(', ')}.\n`}`;
}

function section(row: Row, cells: readonly Cell[]): string {
  const own = cells.filter((cell) => cell.row === row);
  const lines = own.map((cell) => {
    const { samples, target } = cell;
    const bare = own.find(({ target: { id } }) => id === `bare${nodeOf(target)}`);
    const of = (pick: (sample: Sample) => number | undefined, digits: number): string => {
      const known = samples.map(pick).filter((value) => value !== undefined);
      return known.length === 0 ? '' : number(median(known), digits);
    };
    return [
      target.title,
      number(medianOf(samples, rateOf)),
      bare === undefined ? '' : medianRatio(cell, bare, rateOf).toFixed(2),
      bare === undefined ? '' : (1 / medianRatio(cell, bare, cpuMicrosOf)).toFixed(2),
      of(({ p50Ms }) => p50Ms, 2),
      of(({ p99Ms }) => p99Ms, 2),
      of(({ p999Ms }) => p999Ms, 2),
      number(medianOf(samples, cpuMicrosOf), 1),
      of(({ bytesReceived, requests }) => bytesReceived && bytesReceived / requests, 0),
    ];
  });
  return `## ${row.title}

| | requests/s | of bare | by CPU | p50 ms | p99 ms | p99.9 ms | CPU | bytes |
|---|--:|--:|--:|--:|--:|--:|--:|--:|
${lines.map((line) => `| ${line.join(' | ')} |`).join('\n')}`;
}

/** The end of its id, where it runs on another Node than the newest. */
function nodeOf({ id }: Target): string {
  return /-\d\d$/.exec(id)?.[0] ?? '';
}

/** Of the rows that matter most, a bar for each server. */
export function bars(cells: readonly Cell[]): readonly BarGroup[] {
  const rows = [...new Set(cells.map(({ row }) => row))];
  return rows.map((row) => ({
    title: `${row.title}: requests/s`,
    bars: cells
      .filter((cell) => cell.row === row)
      .map(({ target, samples }): Bar => {
        const rate = medianOf(samples, rateOf);
        const color = target.id.startsWith('quartet')
          ? 0
          : target.id.startsWith('bare') || target.id === 'level'
            ? 5
            : 2;
        return { label: target.title.replaceAll('`', ''), value: rate, text: number(rate), color };
      }),
  }));
}

function machine(settings: readonly string[]): readonly string[] {
  const date = new Date().toISOString().slice(0, 10);
  const load = loadavg()[2]!.toFixed(1);
  return [
    `${describeCores()}, ${date}, load average of the last 15 minutes ${load}`,
    `The generator of all that speak HTTP: ${GENERATOR}`,
    ...settings,
  ];
}

function generatorNote(cells: readonly Cell[]): string {
  const limited = cells.filter(
    ({ samples }) => medianOf(samples, (sample) => sample.generatorBusy) > GENERATOR_BUSY_MAX,
  );
  if (limited.length === 0) return 'The generator was never the limit.';
  const names = limited.map(({ row, target }) => `${row.title}, ${target.title}`);
  return `**The generator was the limit** in: ${names.join('; ')}. There the server could do more than the rate says.`;
}
