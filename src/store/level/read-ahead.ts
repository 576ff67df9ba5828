// Does the disk bring in more than is asked for? LevelDB maps its files into memory. For a page that is not there, the system reads
// what is around it, too, as far as the disk's read-ahead goes: of a database that fits into the memory soon everything is there,
// and of a larger one each read throws out what the next one needs.

import { readFile, stat } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { folderBytes } from './folder-bytes.js';

/** What Linux starts with. */
const READ_AHEAD_KIB_MAX = 128;

/** What a busy replica takes of the memory beside the pages of its database, at most about. */
const OWN_BYTES = 600e6;

const MB = 1e6;

export interface Machine {
  /** Where the system shows its devices. */
  readonly sysfs: string;
  /** For the process and the pages of its files. */
  readonly memoryBytes: number;
}

export interface ReadAhead {
  /** Where it is set. */
  readonly path: string;
  readonly kib: number;
}

/** @returns what to do about a database that may not fit into the memory, on a disk that reads far ahead */
export async function readAheadAdvice(folder: string, machine: Machine = thisMachine()): Promise<string | undefined> {
  const disk = await readAheadOf(folder, machine.sysfs);
  if (disk === undefined || disk.kib <= READ_AHEAD_KIB_MAX) return undefined;
  // Advice: a replica that can't have it goes on without.
  const databaseBytes = await folderBytes(folder).catch(() => 0);
  if (databaseBytes <= roomIn(machine.memoryBytes)) return undefined;
  return (
    `the database, ${mb(databaseBytes)} MB, may not fit into the memory, ${mb(machine.memoryBytes)} MB, and where a page is missing ` +
    `its disk reads up to ${disk.kib} KiB: reads and writes may become many times slower. Give the replica more memory; or let the ` +
    `disk read less ahead (echo 16 > ${disk.path}, as root of the machine, until its next boot), and start the replica again`
  );
}

/** For pages of the database. With little memory a replica takes less, too: with a small database it need not be told so. */
function roomIn(memoryBytes: number): number {
  return Math.max(memoryBytes - OWN_BYTES, memoryBytes / 4);
}

function thisMachine(): Machine {
  // 0, or more than there is: no limit.
  const limit = process.constrainedMemory() || Infinity;
  return { sysfs: '/sys', memoryBytes: Math.min(totalmem(), limit) };
}

/**
 * How far the disk of a folder reads ahead. Undefined: nobody says, as of file systems with devices of their own (overlay, btrfs,
 * memory), and on other systems than Linux.
 */
export async function readAheadOf(folder: string, sysfs = '/sys'): Promise<ReadAhead | undefined> {
  const found = await stat(folder).catch(() => undefined);
  if (found === undefined) return undefined;
  const device = deviceName(found.dev);
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

/** Major and minor number of a device, whose parts Linux keeps apart in its number: see makedev(3). */
export function deviceName(device: number): string {
  const number = BigInt(device);
  return `${(number >> 8n) & 0xfffn}:${(number & 0xffn) | ((number >> 12n) & 0xfff00n)}`;
}

function mb(bytes: number): string {
  return (bytes / MB).toFixed(0);
}
