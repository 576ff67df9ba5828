// When does a replica say that its disk does not answer?

import { expect, test } from '@jest/globals';
import { CommitWatch } from '../../../src/observability/commit-watch.js';

function watch() {
  const driver = { commit: undefined as number | undefined, commitUnderWay: () => driver.commit };
  const commits = new CommitWatch(driver);
  const look = (times: number): boolean => {
    for (let each = 0; each < times; each++) commits.look();
    return commits.hangs;
  };
  return { driver, look };
}

test('when one commit is under way at eleven looks, until it ends', () => {
  const { driver, look } = watch();
  driver.commit = 7;
  expect(look(10)).toBe(false);
  expect(look(1)).toBe(true);
  driver.commit = 8;
  expect(look(1)).toBe(false);
});

test('not while one follows the other, however many looks find one, nor while there is none', () => {
  const { driver, look } = watch();
  for (driver.commit = 1; driver.commit < 100; driver.commit++) expect(look(1)).toBe(false);
  driver.commit = undefined;
  expect(look(100)).toBe(false);
});
