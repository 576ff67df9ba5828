// What does an operator type, and what is said back? `quartet restore` and `quartet check`: arguments, messages, exit codes.

import { open, type FileHandle } from 'node:fs/promises';
import { addAbortSignal, type Readable } from 'node:stream';
import { parseArgs } from 'node:util';
import { ProgressLine, type Terminal } from './progress.js';
import { restore } from './restore.js';
import { FolderUnsettledError } from './restored-folder.js';
import { InvalidSnapshotError } from './snapshot-line.js';
import { SnapshotReader } from './snapshot-reader.js';

export const EXIT_DONE = 0;
export const EXIT_FAILED = 1;
export const EXIT_BAD_ARGUMENTS = 2;

const USAGE = `Usage: quartet restore --data DIR --name NAME [--file FILE]
       quartet check [--file FILE]

restore loads a snapshot (GET /v1/snapshot) into a data folder without a database. The node that is then started there
knows what the snapshot knew, as a new actor, and gets from its peers what has happened since.

check reads a snapshot as restore does, and touches nothing: may a cluster be given up for it? It refuses, besides, one
of a node that was taking over keys, and one of a node that knew of no write.

  --data DIR    the node's data folder (its QUARTET_DATA), with no database and no other files; made when absent
  --name NAME   the node's name (its QUARTET_NAME): [a-z0-9-]{1,63}
  --file FILE   the snapshot; standard input when absent
  -h, --help    this text

A snapshot that is cut off, damaged or of another release is refused, and nothing is left of it.
`;

const NODE_NAME = /^[a-z0-9-]{1,63}$/;

/** What a command has of its process. */
export interface Streams {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: { write(text: string): unknown };
  readonly stderr: Terminal;
}

interface CheckArguments {
  readonly command: 'check';
  readonly file: string | undefined;
}

interface RestoreArguments {
  readonly command: 'restore';
  readonly data: string;
  readonly name: string;
  readonly file: string | undefined;
}

/** Runs the command of this process; a signal ends it early. */
export function runHere(process: NodeJS.Process): Promise<number> {
  const stopped = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopped.abort());
  return runCommand(process.argv.slice(2), process, stopped.signal);
}

/**
 * @param signal ends the command early
 * @returns the exit code; everything else has been said
 */
export async function runCommand(args: readonly string[], streams: Streams, signal: AbortSignal): Promise<number> {
  const { stdout, stderr } = streams;
  let parsed: CheckArguments | RestoreArguments | 'help';
  try {
    parsed = parse(args, streams.stdin.isTTY === true);
  } catch (error) {
    stderr.write(`quartet: ${(error as Error).message}\n\n${USAGE}`);
    return EXIT_BAD_ARGUMENTS;
  }
  if (parsed === 'help') {
    stdout.write(USAGE);
    return EXIT_DONE;
  }
  try {
    stdout.write(await run(parsed, streams, signal));
    return EXIT_DONE;
  } catch (error) {
    const { command } = parsed;
    const outcome = command === 'check' || error instanceof FolderUnsettledError ? '' : 'Nothing was restored.\n';
    stderr.write(`quartet ${command}: ${complaint(error, signal)}\n${outcome}`);
    return EXIT_FAILED;
  }
}

/** @throws Error that says what is wrong with them */
function parse(args: readonly string[], isTyped: boolean): CheckArguments | RestoreArguments | 'help' {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      data: { type: 'string' },
      name: { type: 'string' },
      file: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help === true) return 'help';
  const [command, ...rest] = positionals;
  if (command === undefined) throw new Error('a command is missing');
  if (command !== 'restore' && command !== 'check') throw new Error(`"${command}" is not a command`);
  if (rest.length > 0) throw new Error(`"${rest[0]}" stands alone: options have names`);
  const { data, name, file } = values;
  if (command === 'check') {
    if (data !== undefined || name !== undefined) throw new Error('check takes no option but --file');
    requireInput(file, isTyped);
    return { command, file };
  }
  if (data === undefined || data === '') throw new Error('--data is missing: the data folder to fill');
  if (name === undefined) throw new Error('--name is missing: the name of the node');
  if (!NODE_NAME.test(name)) throw new Error(`--name "${name}" must be a name: [a-z0-9-]{1,63}`);
  requireInput(file, isTyped);
  return { command, data, name, file };
}

function requireInput(file: string | undefined, isTyped: boolean): void {
  if (file === undefined && isTyped) throw new Error('--file is missing, and nothing is piped in');
}

/** @returns what is to be told when it is done */
async function run(
  args: CheckArguments | RestoreArguments,
  { stdin, stderr }: Streams,
  signal: AbortSignal,
): Promise<string> {
  const handle = args.file === undefined ? undefined : await open(args.file);
  const line = new ProgressLine(stderr);
  try {
    const source = new Source(handle?.createReadStream({ autoClose: false }) ?? stdin, await sizeOf(handle));
    const onProgress = (keys: number) => line.show(`${keys} keys${source.share}`, Date.now());
    if (args.command === 'check') return await check(source.chunks(signal), onProgress);
    const { data, name } = args;
    const options = { data, name, nowMs: Date.now(), signal, onProgress };
    const { actor, keys, node, takenAt, isPartial } = await restore(source.chunks(signal), options);
    line.clear();
    if (isPartial) stderr.write(`quartet restore: ${partialWarning(node)}\n`);
    return `${data} has ${keys} keys of ${node} as of ${takenAt}. Started there, ${name} is ${actor}.\n`;
  } finally {
    line.clear();
    await handle?.close();
  }
}

/** @throws what `restore` throws of a snapshot that it refuses; InvalidSnapshotError when keys may be missing */
async function check(chunks: AsyncIterable<Uint8Array>, onProgress: (keys: number) => void): Promise<string> {
  const snapshot = await SnapshotReader.open(chunks);
  const { clock, isPartial, node, takenAt } = snapshot.header;
  let keys = 0;
  for await (const _ of snapshot.keys()) onProgress(++keys);
  if (isPartial) throw new InvalidSnapshotError(partialWarning(node));
  // Of a replica that has lost its disk and found no other. A cluster of empty folders needs no snapshot.
  if (clock.size === 0) throw new InvalidSnapshotError(`${node} knew of no write when the snapshot was taken`);
  return `The snapshot is whole: ${keys} keys of ${node} as of ${takenAt}.\n`;
}

/** The snapshot's bytes, counted as they are read. */
class Source {
  private bytes = 0;

  constructor(
    private readonly stream: Readable,
    /** Undefined when nobody knows. */
    private readonly size: number | undefined,
  ) {}

  async *chunks(signal: AbortSignal): AsyncGenerator<Uint8Array> {
    for await (const chunk of addAbortSignal(signal, this.stream)) {
      this.bytes += (chunk as Uint8Array).length;
      yield chunk as Uint8Array;
    }
  }

  get share(): string {
    return this.size === undefined ? '' : `, ${Math.floor((this.bytes / this.size) * 100)} % of the file`;
  }
}

/** A pipe has none. */
async function sizeOf(handle: FileHandle | undefined): Promise<number | undefined> {
  const size = (await handle?.stat())?.size ?? 0;
  return size > 0 ? size : undefined;
}

function partialWarning(node: string): string {
  return `${node} was taking over all keys when the snapshot was taken: it may lack keys that only peers of ${node} have`;
}

function complaint(error: unknown, signal: AbortSignal): string {
  if (signal.aborted && !(error instanceof FolderUnsettledError)) return 'it was stopped';
  if (!(error instanceof Error)) return String(error);
  // What has a code is told in words that were meant for an operator; anything else is a bug.
  return 'code' in error ? error.message : (error.stack ?? error.message);
}
