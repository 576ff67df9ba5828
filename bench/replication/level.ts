// When has every replica what any of them has?

import type { ProcessCluster } from '../../test/support/process-cluster.js';
import { until } from '../../test/support/until.js';

const LEVEL_MS_MAX = 60_000;

/** By clocks alone: to compare contents would be work of the replicas, too. */
export async function untilLevel({ clients }: Pick<ProcessCluster, 'clients'>): Promise<void> {
  await until(
    'the replicas are level',
    async () => {
      const clocks = await Promise.all(clients.map((client) => client.clock()));
      return new Set(clocks).size === 1;
    },
    LEVEL_MS_MAX,
  );
}
