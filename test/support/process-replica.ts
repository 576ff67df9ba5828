// How is one replica run as a process of its own? `node dist/main.js`, set up by its environment, its log in a file.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { openSync, closeSync, readFileSync } from 'node:fs';
import { ReplicaClient } from './process-client.js';
import { until } from './until.js';

export interface ReplicaSetup {
  readonly name: string;
  readonly port: number;
  readonly data: string;
  readonly log: string;
  /** The compiled `main.js`. */
  readonly entry: string;
  /** `QUARTET_PEERS`. */
  readonly peers: string;
  /** Goes before `node`, to pin it to a core for example. */
  readonly launcher: readonly string[];
  /** Another `node` than the one that runs this. */
  readonly node?: string;
  /** Goes over what the replica inherits and what the other settings say. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** How a process ended: by itself with a code, or by a signal. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** As `npm start` and `run.sh` have them. */
export const START_OPTIONS: readonly string[] = [
  '--enable-source-maps',
  '--max-semi-space-size=32',
  '--no-allocation-site-pretenuring',
  '--heap-growing-percent=200',
  '--no-memory-reducer',
];

/** A start looks at the whole log: a million entries take seconds, many times that on a machine at work. */
const READY_MS_MAX = 120_000;
const LOG_LINES_SHOWN = 15;

export class ReplicaProcess {
  readonly client: ReplicaClient;
  private child: ChildProcess | undefined;
  private exited: Promise<Exit> | undefined;

  constructor(readonly setup: ReplicaSetup) {
    this.client = new ReplicaClient(`http://127.0.0.1:${setup.port}`);
  }

  get name(): string {
    return this.setup.name;
  }

  get isRunning(): boolean {
    return this.child !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }

  get pid(): number {
    if (this.child?.pid === undefined) throw new Error(`${this.name} was not started`);
    return this.child.pid;
  }

  /** Starts the process. @returns milliseconds until it says that it is ready */
  async start(): Promise<number> {
    if (this.isRunning) throw new Error(`${this.name} runs already`);
    const startedAt = performance.now();
    const { entry, launcher, log, node = process.execPath } = this.setup;
    const output = openSync(log, 'a');
    const [command, ...rest] = [...launcher, node, ...START_OPTIONS, entry];
    const child = spawn(command!, rest, { env: this.environment(), stdio: ['ignore', output, output] });
    closeSync(output);
    this.child = child;
    this.exited = once(child, 'exit').then(([code, signal]) => ({ code, signal }) as Exit);
    await until(`${this.name} is ready`, async () => !this.isRunning || (await this.isReady()), READY_MS_MAX);
    if (!this.isRunning) throw new Error(`${this.name} ended before it was ready; ${this.lastLogLines()}`);
    return performance.now() - startedAt;
  }

  /** Resolves when the process is gone; at once when it was never started. */
  async gone(): Promise<Exit | undefined> {
    return this.exited;
  }

  /** Sends a signal that need not end the process. */
  signal(signal: NodeJS.Signals): void {
    if (this.isRunning) this.child!.kill(signal);
  }

  /** Sends a signal and waits until the process is gone. */
  async kill(signal: NodeJS.Signals): Promise<Exit> {
    if (this.exited === undefined) throw new Error(`${this.name} was not started`);
    this.child!.kill(signal);
    return this.exited;
  }

  /** For the moment when this process itself ends, and nothing can be waited for. */
  killAtOnce(): void {
    if (this.isRunning) this.child!.kill('SIGKILL');
  }

  /** Resident memory in MiB. */
  memoryMiB(): number {
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))![1]) / 1024;
  }

  lastLogLines(): string {
    const lines = readFileSync(this.setup.log, 'utf8').trimEnd().split('\n');
    return `${this.setup.log} ends:\n${lines.slice(-LOG_LINES_SHOWN).join('\n')}`;
  }

  private async isReady(): Promise<boolean> {
    return (await this.client.request('GET', '/readyz', { timeoutMs: 1000 })).status === 200;
  }

  private environment(): NodeJS.ProcessEnv {
    const inherited = Object.entries(process.env).filter(([name]) => !/^(QUARTET_|NODE_OPTIONS$)/.test(name));
    return {
      ...Object.fromEntries(inherited),
      QUARTET_NAME: this.setup.name,
      QUARTET_PORT: String(this.setup.port),
      QUARTET_DATA: this.setup.data,
      QUARTET_PEERS: this.setup.peers,
      ...this.setup.environment,
    };
  }
}
