// What do the measurements say? Medians of all repeats, and ratios to the bare server of the same run.

import { availableParallelism, cpus, loadavg } from 'node:os';
import type { Measurement } from './load.js';
import { ARE_CORES_CHOSEN } from './processes.js';

/** Beyond this the generator, and not the server, set the rate. */
const GENERATOR_BUSY_MAX = 0.9;

export interface Sample extends Measurement {
  readonly serverCpuSeconds: number;
}

export interface Scenario {
  readonly server: 'bare' | 'one' | 'four';
  readonly method: 'GET' | 'PUT';
  readonly samples: Sample[];
}

const TITLES = {
  bare: '`node:http`, a Map',
  one: 'one replica',
  four: 'four replicas, load at all four',
} as const;

export function markdown(scenarios: readonly Scenario[], settings: readonly string[]): string {
  const rows = scenarios.map((scenario) => {
    const bare = scenarios.find(({ server, method }) => server === 'bare' && method === scenario.method)!;
    const rate = median(scenario, rateOf);
    const cpu = median(scenario, cpuMicrosOf);
    const cells = [
      `${scenario.method}, ${TITLES[scenario.server]}`,
      rounded(rate),
      scenario.server === 'four' ? rounded(rate / 4) : rounded(rate),
      (rate / median(bare, rateOf)).toFixed(2),
      median(scenario, ({ p50Ms }) => p50Ms).toFixed(1),
      median(scenario, ({ p99Ms }) => p99Ms).toFixed(1),
      rounded(cpu),
      (median(bare, cpuMicrosOf) / cpu).toFixed(2),
      `${Math.round(100 * median(scenario, ({ generatorBusy }) => generatorBusy))} %`,
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return `# The latest benchmark

${settings.map((line) => `- ${line}`).join('\n')}
- ${machine()}

| | requests/s | per replica | of bare | p50 ms | p99 ms | server CPU µs/request | of bare, by CPU | generator busy |
|---|--:|--:|--:|--:|--:|--:|--:|--:|
${rows.join('\n')}

*Of bare*: the rate, divided by that of the bare server in the same run. *By CPU*: the bare server's processor time for a
request, divided by this one's, all replicas together, replication and disk included; it holds however busy the
generator, or the machine, is. ${generatorNote(scenarios)}
`;
}

function generatorNote(scenarios: readonly Scenario[]): string {
  const limited = scenarios.filter(
    (scenario) => median(scenario, (sample) => sample.generatorBusy) > GENERATOR_BUSY_MAX,
  );
  if (limited.length === 0) return 'The generator was never the limit.';
  const names = limited.map(({ server, method }) => `${method}, ${TITLES[server]}`);
  return `**The generator was the limit** in: ${names.join('; ')}. There the server could do more than the rate says.`;
}

function machine(): string {
  const cores = ARE_CORES_CHOSEN ? 'all servers on core 0, the generator on core 1' : 'cores not chosen';
  const date = new Date().toISOString().slice(0, 10);
  const load = loadavg()[1]!.toFixed(1);
  return `${cpus()[0]!.model.trim()}, ${availableParallelism()} cores (${cores}), Node ${process.versions.node}, ${date}, load average ${load}`;
}

function rateOf({ requests, seconds }: Sample): number {
  return requests / seconds;
}

function cpuMicrosOf({ serverCpuSeconds, requests }: Sample): number {
  return (serverCpuSeconds * 1e6) / requests;
}

function median(scenario: Scenario, of: (sample: Sample) => number): number {
  const sorted = scenario.samples.map(of).sort((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)]!;
}

function rounded(value: number): string {
  return Math.round(value).toLocaleString('en');
}
