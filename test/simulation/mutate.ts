// Runs the simulation against every mutant: node test/simulation/launch.mjs mutate [--only text] [--seeds 2000] [--from 1]
// Ends with status 1 when one survives.

import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { MUTANTS, type Mutant } from './mutants.js';

/** A change of the text of one source file; it must match exactly once. */
export interface Patch {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** Compiles a copy of the sources, patched, and returns its folder. */
export type Compile = (name: string, patches: readonly Patch[]) => string;

export type CheckPatches = (patches: readonly Patch[]) => void;

interface Verdict {
  /** Undefined: none was broken. */
  readonly invariant: string | undefined;
  /** The one that broke it, or how many did not. */
  readonly seed: number;
  /** Why nothing is known. */
  readonly open?: string;
}

/** As long as all seeds take on a machine at work. */
const RUN_MAX_MS = 600_000;

/** Characters of a message that stand in the table. */
const MESSAGE_MAX = 40;

export async function main(compile: Compile, checkPatches: CheckPatches): Promise<void> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', default: '' },
      seeds: { type: 'string', default: '2000' },
      from: { type: 'string', default: '1' },
    },
  });
  const mutants = MUTANTS.filter(({ name }) => name.includes(values.only));
  for (const { patches } of mutants) checkPatches(patches);
  const verdicts = new Map<string, Verdict>();
  const clean = compile(`no-mutant-${process.pid}`, []);
  const waiting = [...mutants];
  const work = async (): Promise<void> => {
    for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
      const verdict = await judge(mutant, compile, clean, {
        seeds: mutant.seeds ?? Number(values.seeds),
        from: values.from,
      });
      verdicts.set(mutant.name, verdict);
      const word = verdict.open !== undefined ? 'NO VERDICT' : verdict.invariant === undefined ? 'SURVIVES' : 'caught';
      console.error(`${word}: ${mutant.name}`);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  rmSync(clean, { recursive: true, force: true });
  console.log('| Mutant | Caught by | First failing seed |\n|---|---|---|');
  for (const { name } of mutants) {
    const { invariant, seed, open } = verdicts.get(name)!;
    const nothing = `**${open ?? 'nothing'}**`;
    console.log(`| ${name} | ${invariant ?? nothing} | ${invariant === undefined ? `none of ${seed}` : seed} |`);
  }
  const survivors = mutants.filter(({ name }) => verdicts.get(name)!.invariant === undefined);
  console.log(`\n${mutants.length - survivors.length} of ${mutants.length} caught`);
  if (survivors.length > 0) process.exitCode = 1;
}

async function judge(
  { name, patches, hasAll = false }: Mutant,
  compile: Compile,
  clean: string,
  { seeds, from }: { readonly seeds: number; readonly from: string },
): Promise<Verdict> {
  const folder = compile(`mutant-${process.pid}-${name.replace(/\W+/g, '-')}`, patches);
  const failure = await firstFailure(folder, { seeds, from, hasAll });
  rmSync(folder, { recursive: true, force: true });
  if (failure === undefined) return { invariant: undefined, seed: seeds };
  if (failure === 'too slow')
    return { invariant: undefined, seed: seeds, open: `no verdict in ${RUN_MAX_MS / 1000} s` };
  const { invariant, message, seed } = failure;
  // A seed that fails without the bug, too, has not caught it.
  const without = await firstFailure(clean, { seeds: 1, from: String(seed), hasAll });
  if (without !== undefined) return { invariant: undefined, seed, open: `seed ${seed} fails without it, too` };
  // What production code itself notices stops the node, and has a message of its own.
  return { invariant: invariant === 'no error' ? `"${message.slice(0, MESSAGE_MAX)}"` : invariant, seed };
}

interface SeedFailure {
  readonly seed: number;
  readonly invariant: string;
  readonly message: string;
}

async function firstFailure(
  folder: string,
  { seeds, from, hasAll }: { readonly seeds: number; readonly from: string; readonly hasAll: boolean },
): Promise<SeedFailure | 'too slow' | undefined> {
  const program = join(folder, 'test', 'simulation', 'run.js');
  const options = { timeout: RUN_MAX_MS, maxBuffer: 2 ** 26 };
  const args = [
    program,
    '--seeds',
    String(seeds),
    '--from',
    from,
    '--workers',
    '1',
    '--json',
    ...(hasAll ? ['--all'] : []),
  ];
  const output = await new Promise<string | undefined>((resolve) => {
    execFile(process.execPath, args, options, (error, stdout) => resolve(error?.killed ? undefined : stdout));
  });
  if (output === undefined) return 'too slow';
  return (JSON.parse(output) as { failures: SeedFailure[] }).failures[0];
}
