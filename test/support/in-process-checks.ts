// What is asked of several replicas at once?

import { expect } from '@jest/globals';
import type { InProcessNode } from './in-process-node.js';
import { until } from './until.js';

export async function untilTrimmed(nodes: readonly InProcessNode[]): Promise<void> {
  await until('no log has entries', async () => {
    const clusters = await Promise.all(nodes.map((node) => node.cluster()));
    return clusters.every(({ log }) => log.entries === 0);
  });
}

/** All of them have the very same keys, values and versions. */
export async function expectSame(nodes: readonly InProcessNode[]): Promise<void> {
  const [first, ...others] = await Promise.all(nodes.map((node) => node.listing()));
  for (const other of others) expect(other).toEqual(first);
}
