import Sequencer from '@jest/test-sequencer';

const LONGEST = ['simulation/scenarios', 'cluster/promises', 'simulation/simulation', 'cluster/', 'e2e/'];

/** Starts the longest files first, so that all workers end together. Jest knows how long they take from its cache only. */
export default class LongestFirst extends Sequencer {
  sort(tests) {
    const rank = ({ path }) => LONGEST.findIndex((part) => path.includes(`/test/${part}`)) + 1 || Infinity;
    const ranks = new Map(tests.map((test) => [test, rank(test)]));
    // Equal ranks keep the order of jest.
    return super.sort(tests).sort((left, right) => compare(ranks.get(left), ranks.get(right)));
  }
}

function compare(left, right) {
  return left === right ? 0 : left < right ? -1 : 1;
}
