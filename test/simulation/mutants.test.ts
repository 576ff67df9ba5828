import { expect, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { MUTANTS } from './mutants.js';

test.each(MUTANTS.map((mutant) => [mutant.name, mutant.patches] as const))(
  'the mutant that %s still fits the source, once',
  async (_name, patches) => {
    for (const { file, find } of patches) {
      expect((await readFile(file, 'utf8')).split(find)).toHaveLength(2);
    }
  },
);
