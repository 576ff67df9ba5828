// How are docker and compose called? As commands, whose failure says what they said; long ones show that they go on.

import { execFile, spawn } from 'node:child_process';

const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;
const SHOW_AFTER_MS = 2000;
const SHOW_EVERY_MS = 5000;

export type Environment = Readonly<Record<string, string>>;

/** @returns what it wrote to standard output, without spaces at its ends */
export function run(command: readonly string[], environment: Environment = {}): Promise<string> {
  const [file, ...args] = command;
  return new Promise((resolve, reject) => {
    const env = { ...process.env, ...environment };
    execFile(file!, args, { env, maxBuffer: OUTPUT_BYTES_MAX }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout.trim());
      else reject(new Error(`${command.join(' ')}: ${stderr.trim() || error.message}`));
    });
  });
}

/** Its output goes where ours goes: it shows by itself how far it is. */
export function runShown(command: readonly string[]): Promise<void> {
  const [file, ...args] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(file!, args, { stdio: ['ignore', 2, 2] });
    child.once('error', reject);
    child.once('exit', (status, signal) =>
      status === 0 ? resolve() : reject(new Error(`${command.join(' ')}: ended with ${status ?? signal}`)),
    );
  });
}

/** Waits for `work`, and shows what is waited for, and since when, once that takes more than two seconds. */
export async function shown<T>(what: string, work: () => Promise<T>): Promise<T> {
  const startedAt = performance.now();
  const say = (): void => tell(`${what}: ${Math.round((performance.now() - startedAt) / 1000)} s`);
  let repeating: NodeJS.Timeout | undefined;
  const first = setTimeout(() => {
    say();
    repeating = setInterval(say, SHOW_EVERY_MS);
  }, SHOW_AFTER_MS);
  try {
    return await work();
  } finally {
    clearTimeout(first);
    clearInterval(repeating);
  }
}

export function tell(line: string): void {
  process.stderr.write(`   ${line}\n`);
}
