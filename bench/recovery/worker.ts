// How do writing and light load keep out of the way of what is measured? Each is a process of its own, told what to do by
// messages.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { LightLoadAnswer, LightLoadOrder, Latencies, Target } from './light-load.js';
import { withProgress } from './progress.js';
import type { WriteLoad, WriterMessage } from './write-load.js';

/**
 * Writes each index once; tells every now and then how many are acknowledged.
 * @returns the seconds from the first request to the last acknowledgement
 */
export async function write(
  title: string,
  load: WriteLoad,
  onProgress: (done: number) => void = () => {},
): Promise<number> {
  const child = spawnWorker('writer.ts');
  return withProgress(title, load.indices.length, async (progress) => {
    const written = new Promise<number>((resolve) => {
      child.on('message', (message: WriterMessage) => {
        if (message.kind === 'done') return resolve(message.seconds);
        progress(message.done);
        onProgress(message.done);
      });
    });
    child.send(load);
    return Promise.race([written, failure(child)]);
  });
}

/** A steady trickle of reads and writes, whose latencies are kept while a measurement lasts. */
export class LightLoad {
  private constructor(private readonly child: ChildProcess) {}

  static async start(targets: readonly Target[], keys: number): Promise<LightLoad> {
    const load = new LightLoad(spawnWorker('light-loader.ts'));
    await load.ask({ kind: 'start', targets, keys });
    return load;
  }

  /** What it met is forgotten: what counts begins now. */
  async begin(): Promise<void> {
    await this.ask({ kind: 'begin' });
  }

  /** What it has met since `begin`, by the name of the target. */
  async end(): Promise<ReadonlyMap<string, Latencies>> {
    return (await this.ask({ kind: 'end' })).latencies;
  }

  /** Resolves when its last request is answered. */
  async finish(): Promise<void> {
    await this.ask({ kind: 'finish' });
    this.stop();
  }

  /** At once, with requests under way. */
  stop(): void {
    this.child.kill();
  }

  private async ask(order: LightLoadOrder): Promise<LightLoadAnswer> {
    const answered = once(this.child, 'message') as Promise<[LightLoadAnswer]>;
    this.child.send(order);
    const answer = await Promise.race([answered, failure(this.child)]);
    return answer[0];
  }
}

function spawnWorker(file: string): ChildProcess {
  const args = ['--import', 'tsx', join(import.meta.dirname, file)];
  // `advanced`: typed arrays and maps arrive as what they are.
  return spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], serialization: 'advanced' });
}

/** Rejects when the worker ends with an error, and is never settled otherwise. */
function failure(child: ChildProcess): Promise<never> {
  return new Promise((_, reject) =>
    child.once('exit', (code) => {
      if (code !== null && code !== 0) reject(new Error(`a worker ended with status ${code}; see above`));
    }),
  );
}
