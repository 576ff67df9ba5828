// The torture of real processes, from the command line.
//
//     npm run faults -- --seed 42 --seconds 60        one seed; the faults are drawn from it
//         --replicas 4 --kinds "kill,pause,full disk" --timeline
//
// It ends with status 1 when a promise was broken, and says which seed it was, what was done, and the key's history. It
// takes so many seconds, and then what healing and judging take; Ctrl-C stops all processes and leaves nothing behind.

import { parseArgs } from 'node:util';
import { SingleBar } from 'cli-progress';
import { describeFindings, describeTimeline } from './report.js';
import { FAULT_KINDS, torture, type FaultKind } from './torture.js';

/** Healing, at the worst; a run that takes longer hangs. */
const HEALING_MS_MAX = 180_000;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      seconds: { type: 'string', default: '30' },
      replicas: { type: 'string', default: '4' },
      kinds: { type: 'string' },
      timeline: { type: 'boolean', default: false },
    },
  });
  const [seed, seconds, replicas] = [Number(values.seed), Number(values.seconds), Number(values.replicas)];
  if (!Number.isSafeInteger(seed) || !(seconds > 0) || !(replicas >= 2 && replicas <= 16)) {
    throw new Error('--seed is an integer, --seconds is greater than 0, --replicas is from 2 to 16');
  }
  const kinds = values.kinds?.split(',').map((kind) => kind.trim() as FaultKind) ?? FAULT_KINDS;
  const unknown = kinds.filter((kind) => !FAULT_KINDS.includes(kind));
  if (unknown.length > 0)
    throw new Error(`no kinds of fault: ${unknown.join(', ')}; there are ${FAULT_KINDS.join(', ')}`);

  console.log(`seed ${seed}: ${replicas} replicas, ${seconds} s of faults`);
  const bar = new SingleBar({ format: '{bar} {value}/{total} s, {acknowledged} writes, {faults} faults, {phase}' });
  bar.start(seconds, 0, { acknowledged: 0, faults: 0, phase: 'starting' });
  const hang = setTimeout(
    () => {
      console.error(`\nseed ${seed} hangs`);
      process.kill(process.pid, 'SIGTERM');
    },
    seconds * 1000 + HEALING_MS_MAX,
  );
  const outcome = await torture({
    ...{ seed, seconds, replicas, kinds },
    onProgress: ({ seconds: passed, ...rest }) => bar.update(Math.floor(passed), rest),
  }).finally(() => {
    clearTimeout(hang);
    bar.stop();
  });

  const counts = { acknowledged: 0, refused: 0, unknown: 0, reads: 0 };
  for (const event of outcome.history.events) counts[event.kind === 'read' ? 'reads' : event.outcome]++;
  const { acknowledged, refused, unknown: open, reads } = counts;
  console.log(`${acknowledged} writes acknowledged, ${refused} refused, ${open} with unknown outcome; ${reads} reads`);
  console.log(`faults: ${listed(outcome.faults)}`);
  if (outcome.problems.size > 0) console.log(`answers of trouble: ${listed(outcome.problems)}`);
  if (!outcome.hasSmallDisk) console.log('no disk was really full: this user may not mount a small one');
  if (values.timeline) console.log(describeTimeline(outcome).join('\n'));
  if (outcome.findings.length === 0) {
    console.log(`seed ${seed}: every promise was kept.`);
    return 0;
  }
  console.log(`\nseed ${seed}: ${describeFindings(outcome)}`);
  console.log(`\nseed ${seed} broke promises. Again: npm run faults -- --seed ${seed} --seconds ${seconds}`);
  return 1;
}

function listed(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([what, count]) => `${count} × ${what}`).join(', ');
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error((error as Error).message);
    process.exit(2);
  },
);
