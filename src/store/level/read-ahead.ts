// Does the disk bring in more than is asked for? LevelDB maps its files into memory. For a page that is not there, the system reads
// what is around it, too, as far as the disk's read-ahead goes: of a database that fits into the memory soon everything is there,
// and of a larger one each read throws out what the next one needs.

import { readFile, stat } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { folderBytes } from './folder-bytes.js';

/** What Linux starts with. */
const READ_AHEAD_KIB_MAX = 128;

/** What a busy replica takes of the memory beside the pages of its database, roughly. */
const OWN_BYTES = 400 * 2 ** 20;

const MIB = 2 ** 20;

export interface Machine {
  /** Where the system shows its devices. */
  readonly sysfs: string;
  /** For the process and the pages of its files. */
  readonly memoryBytes: number;
}

/** @returns what to do about a database that may not fit into the memory, on a disk that reads far ahead */
export async function readAheadAdvice(folder: string, machine: Machine = thisMachine()): Promise<string | undefined> {
  const databaseBytes = await folderBytes(folder);
  if (databaseBytes + OWN_BYTES <= machine.memoryBytes) return undefined;
  const setting = await readAheadOf(folder, machine.sysfs);
  if (setting === undefined || setting.kib <= READ_AHEAD_KIB_MAX) return undefined;
  return (
    `the database, ${mib(databaseBytes)} MiB, may not fit into the memory, ${mib(machine.memoryBytes)} MiB, and where a page is ` +
    `missing its disk reads ${setting.kib} KiB: reads and writes may become many times slower. Give the replica more memory, or let ` +
    `the disk read less ahead: echo 16 > ${setting.path}`
  );
}

function thisMachine(): Machine {
  // 0, or more than there is: no limit.
  const limit = process.constrainedMemory() || Infinity;
  return { sysfs: '/sys', memoryBytes: Math.min(totalmem(), limit) };
}

/** Undefined: nobody says, as of a file system without a device, or on another system than Linux. */
async function readAheadOf(
  folder: string,
  sysfs: string,
): Promise<{ readonly path: string; readonly kib: number } | undefined> {
  const { dev } = await stat(folder);
  const device = `${major(dev)}:${minor(dev)}`;
  // Of a partition its disk says it. Not joined, for `..` is of where the link leads.
  for (const path of [
    `${sysfs}/class/bdi/${device}/read_ahead_kb`,
    `${sysfs}/dev/block/${device}/../queue/read_ahead_kb`,
  ]) {
    const kib = Number(await readFile(path, 'utf8').catch(() => NaN));
    if (!Number.isNaN(kib)) return { path, kib };
  }
  return undefined;
}

// The parts of a device number as Linux has them: see makedev(3).

function major(dev: number): number {
  return Number((BigInt(dev) >> 8n) & 0xfffn);
}

function minor(dev: number): number {
  return Number((BigInt(dev) & 0xffn) | ((BigInt(dev) >> 12n) & 0xfff00n));
}

function mib(bytes: number): string {
  return (bytes / MIB).toFixed(0);
}
