// The races that every replica must get right, told one by one.

import type { Told } from './scenario.js';

export interface NamedScenario extends Told {
  readonly title: string;
}

export const SCENARIOS: readonly NamedScenario[] = [
  {
    title: 'writes at two replicas that were cut off from each other are both kept',
    nodes: 2,
    script: async (s) => {
      s.cut('n1', 'n2');
      await s.put('n1', 'A');
      await s.put('n2', 'B');
      s.heal();
      await s.expectSiblings('A', 'B');
    },
  },
  {
    title: 'writes at two replicas at the same moment are both kept',
    nodes: 3,
    script: async (s) => {
      await s.race([
        ['n1', 'A'],
        ['n2', 'B'],
      ]);
      await s.expectSiblings('A', 'B');
    },
  },
  {
    title: 'two writes in a row at one replica are no siblings',
    nodes: 2,
    script: async (s) => {
      await s.race([
        ['n1', 'A'],
        ['n1', 'B'],
      ]);
      await s.expectSiblings('B');
    },
  },
  {
    title: 'a write whose author has seen all siblings replaces them all',
    nodes: 3,
    script: async (s) => {
      await s.race([
        ['n1', 'A'],
        ['n2', 'B'],
        ['n3', 'C'],
      ]);
      await s.settle();
      await s.put('n2', 'D', { reading: s.read('n1') });
      await s.expectSiblings('D');
    },
  },
  {
    title: 'a write with a stale context replaces what its author saw and nothing else',
    nodes: 2,
    script: async (s) => {
      await s.put('n1', 'A');
      await s.settle();
      const stale = s.read('n1');
      await s.put('n1', 'B');
      await s.settle();
      await s.put('n2', 'C', { reading: stale });
      await s.expectSiblings('B', 'C');
    },
  },
  {
    title: 'a write with a context of another replica replaces what has not come to its own replica yet',
    nodes: 3,
    script: async (s) => {
      s.cut('n1', 'n2');
      await s.put('n1', 'A');
      await s.put('n2', 'B', { reading: s.read('n1') });
      s.heal();
      await s.expectSiblings('B');
    },
  },
  {
    title: 'a delete that raced with a write does not remove it',
    nodes: 3,
    script: async (s) => {
      await s.put('n1', 'A');
      await s.settle();
      await s.race([
        ['n1', undefined],
        ['n2', 'B'],
      ]);
      await s.expectSiblings('B');
    },
  },
  {
    title: 'a deleted value does not come back from a replica that missed the delete',
    nodes: 3,
    script: async (s) => {
      await s.put('n1', 'A');
      await s.settle();
      s.isolate('n3');
      await s.delete('n1');
      await s.runFor(1200);
      s.crash('n1');
      s.heal();
      await s.expectSiblings();
      await s.start('n1');
      await s.expectSiblings();
    },
  },
  {
    title: 'a write made without its value being seen survives a delete with a context',
    nodes: 2,
    script: async (s) => {
      await s.put('n1', 'A');
      const early = s.read('n1');
      await s.put('n1', 'B');
      await s.delete('n1', { reading: early });
      await s.expectSiblings('B');
    },
  },
  {
    title: 'what a replica that was away has is not given up when it is back, though its author has lost its disk',
    nodes: 3,
    keys: 2,
    setUp: async (s) => {
      // All have been level for long.
      await s.runFor(15_000);
      s.isolate('n1');
      await s.put('n3', 'acknowledged', { key: 'k2' });
      await s.runFor(100);
      s.crash('n2');
      // Its author has seen what n2 has, and n1 has not.
      await s.put('n1', 'B', { reading: s.read('n3') });
      s.wipe('n3');
      await s.start('n3');
      s.mend('n1', 'n3');
      // Until n1 has just failed to reach n2, and its next comparison is not due yet: n2 speaks first.
      await s.runFor(15_540);
      s.heal();
      await s.start('n2');
      await s.runFor(500);
    },
    script: (s) => s.expectValues({ k1: ['B'], k2: ['acknowledged'] }),
  },
  {
    title: 'an acknowledged write survives the crash of the replica that took it',
    nodes: 2,
    script: async (s) => {
      await s.put('n1', 'A');
      s.crash('n1');
      await s.runFor(20);
      await s.start('n1');
      await s.expectSiblings('A');
    },
  },
  {
    title: 'a write that one peer has received reaches the others though its origin is dead',
    nodes: 3,
    script: async (s) => {
      s.cut('n1', 'n3');
      await s.put('n1', 'A', { acksNeeded: 2 });
      s.crash('n1');
      await s.expectSiblings('A');
    },
  },
  {
    title: 'a replica that lost its disk gets everything back, and its new writes are new',
    nodes: 3,
    setUp: async (s) => {
      await s.put('n1', 'A');
      await s.settle();
    },
    script: async (s) => {
      s.wipe('n1');
      await s.start('n1');
      await s.put('n1', 'B');
      await s.expectSiblings('A', 'B');
    },
  },
  {
    title: 'a client that writes where it has not read is heard though the link works one way only',
    nodes: 2,
    script: async (s) => {
      s.cutOneWay('n1', 'n2');
      await s.put('n1', 'A');
      await s.put('n2', 'B', { reading: s.read('n1') });
      await s.runFor(1200);
      s.heal();
      await s.expectSiblings('B');
    },
  },
  {
    title: 'survivors agree though only one of them has met the last state of a dead origin',
    nodes: 4,
    script: async (s) => {
      const nothing = s.read('n1');
      await s.put('n4', 'A');
      await s.settle();
      s.isolate('n4');
      s.isolate('n2');
      await s.put('n1', 'B', { reading: nothing });
      await s.runFor(30);
      // n3 has seen A and B. n4 replaces A, and only n1 hears of it.
      s.cut('n1', 'n3');
      await s.put('n4', 'C');
      s.mend('n1', 'n4');
      await s.until('n1', 'B', 'C');
      s.crash('n4');
      // n1 tells n2 of its own write, and with it of C; it dies before n2 can ask it for the rest.
      s.mend('n1', 'n2');
      await s.until('n2', 'B', 'C');
      s.crash('n1');
      s.heal();
      await s.expectSiblings('B', 'C');
    },
  },
  {
    title: 'a replica that lost its disk takes over everything though the log is trimmed',
    nodes: 2,
    keys: 3,
    script: async (s) => {
      await s.put('n1', 'A');
      await s.put('n2', 'B', { key: 'k2' });
      await s.delete('n1');
      await s.put('n1', 'C', { key: 'k3' });
      await s.settle();
      await s.untilTrimmed('n1');
      s.wipe('n2');
      await s.start('n2');
      await s.expectValues({ k1: [], k2: ['B'], k3: ['C'] });
    },
  },
  {
    title: 'nothing deleted rises again when a replica comes back for which no log was kept',
    nodes: 2,
    keys: 3,
    logMax: 0,
    script: async (s) => {
      await s.put('n1', 'A');
      await s.put('n2', 'B', { key: 'k2' });
      await s.settle();
      s.cut('n1', 'n2');
      await s.delete('n1');
      await s.put('n1', 'C', { key: 'k2' });
      await s.untilTrimmed('n1');
      s.heal();
      await s.expectValues({ k1: [], k2: ['C'], k3: [] });
    },
  },
  {
    title: 'what is written at a replica while it takes over all keys is kept, and what it has not seen too',
    nodes: 2,
    keys: 3,
    logMax: 0,
    script: async (s) => {
      await s.put('n1', 'A', { key: 'k3' });
      await s.settle();
      const early = s.read('n2', 'k3');
      s.cut('n1', 'n2');
      await s.put('n1', 'B');
      await s.put('n1', 'C', { key: 'k2' });
      await s.put('n1', 'D', { key: 'k3' });
      await s.untilTrimmed('n1');
      s.heal();
      await s.untilTaken('n2', 'k1');
      // It has k1 by now, and k3 is still to come.
      await s.put('n2', 'E');
      await s.put('n2', 'F', { key: 'k3', reading: early });
      await s.expectValues({ k1: ['E'], k2: ['C'], k3: ['D', 'F'] });
    },
  },
  {
    title: 'the peer from which a replica takes over all keys dies, and another one goes on',
    nodes: 3,
    keys: 2,
    setUp: async (s) => {
      await s.race([
        ['n1', 'A'],
        ['n1', 'B', { key: 'k2' }],
      ]);
      for (const name of ['n1', 'n2']) await s.untilTrimmed(name);
    },
    script: async (s) => {
      s.wipe('n3');
      await s.start('n3');
      s.crash(await s.untilTaken('n3', 'k1'));
      await s.expectValues({ k1: ['A'], k2: ['B'] });
    },
  },
  {
    title: 'survivors agree though only one of them has taken over some keys of a dead peer',
    nodes: 3,
    keys: 3,
    logMax: 0,
    script: async (s) => {
      s.isolate('n1');
      await s.put('n1', 'A');
      await s.put('n1', 'B', { key: 'k2' });
      await s.put('n1', 'C', { key: 'k3' });
      await s.untilTrimmed('n1');
      s.mend('n1', 'n2');
      await s.untilTaken('n2', 'k1');
      s.crash('n1');
      s.heal();
      await s.expectValues({ k1: ['A'], k2: [], k3: [] });
    },
  },
  {
    title: 'a replica whose disk was put back to an old copy gives no dot for the second time',
    nodes: 3,
    setUp: async (s) => {
      await s.put('n1', 'A');
      await s.settle();
      await s.copyDisk('n1');
    },
    script: async (s) => {
      const early = s.read('n1');
      await s.put('n1', 'B', { reading: early });
      await s.settle();
      s.putBackCopy('n1');
      await s.start('n1');
      await s.put('n1', 'C', { reading: early });
      await s.expectSiblings('B', 'C');
    },
  },
  {
    title: 'an old copy of a disk gives no dot anew that others know by hearsay alone',
    nodes: 3,
    keys: 2,
    setUp: async (s) => {
      await s.copyDisk('n1');
      await s.settle();
      s.cut('n1', 'n3');
      await s.put('n1', 'A');
      await s.until('n2', 'A');
      await s.put('n2', 'B', { key: 'k2' });
      await s.runFor(20);
      s.wipe('n2');
      s.putBackCopy('n1');
      s.heal();
      await s.start('n2');
    },
    script: async (s) => {
      await s.start('n1');
      await s.put('n1', 'C');
      s.expectSiblingsAt('n1', 'C');
    },
  },
  {
    title: 'once everything is deleted and everybody knows, nothing is left on any disk',
    nodes: 2,
    keys: 2,
    logMax: 0,
    script: async (s) => {
      await s.race([
        ['n1', 'A'],
        ['n2', 'B'],
      ]);
      await s.settle();
      s.cut('n1', 'n2');
      await s.put('n1', 'C', { key: 'k2' });
      await s.delete('n1');
      await s.untilTrimmed('n1');
      s.heal();
      await s.settle();
      await s.delete('n2', { key: 'k2' });
      await s.settle();
      await s.runFor(1500);
      s.expectNothingStored();
    },
  },
];
