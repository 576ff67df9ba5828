// Which LevelDB? The one that classic-level brings is of 2017, and shows old values of keys that were written while a snapshot
// was held (docs/adr/0035). engine/ has the same with that mended, for the systems that replicas run on.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ClassicLevel as Level } from 'classic-level';

const ENGINE = fileURLToPath(new URL('../../../engine', import.meta.url));

/** Whether there is one for this system. */
export const isMended = existsSync(join(ENGINE, 'prebuilds', `${process.platform}-${process.arch}`));

// Where classic-level looks for a build of its own when it is loaded: not before this.
// eslint-disable-next-line no-restricted-properties -- written for a package, and not read
if (isMended) process.env['CLASSIC_LEVEL_PREBUILD'] = ENGINE;

export const { ClassicLevel } = await import('classic-level');
export type ClassicLevel<K = string, V = string> = Level<K, V>;

/** @returns what to tell the operator of a system without it */
export function engineAdvice(): string | undefined {
  if (isMended) return undefined;
  return (
    `there is no mended LevelDB for ${process.platform} on ${process.arch}: while a backup or a long list is read, keys that are ` +
    'written meanwhile may show values of before, and writes be lost. Run replicas on Linux (x64 or arm64)'
  );
}
