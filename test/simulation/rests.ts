// What is forgotten in the long run? Replicas give up what died with a disk, and drop what they need no more, when they have
// been level for a while. Now and then nobody asks them for anything, and nothing goes wrong, until they may have.

import type { Cluster } from './cluster.js';
import { Prng } from './prng.js';
import type { SimulatedEvent } from './timeline.js';

const OF_CLIENTS = /^(client|session \d+|batch|request|reader|quorum reader)$/;
const OF_FAULTS = /^(fault|bit flip|cut off|loses its disk)$/;

export class Rests {
  private readonly prng: Prng;

  constructor(private readonly cluster: Cluster) {
    this.prng = new Prng(cluster.options.seed ^ 0x4e57);
  }

  /** Before the event of this number: a rest, if it is time for one. */
  async at(step: number): Promise<void> {
    const { cluster, prng } = this;
    if (!cluster.options.restsAtSteps.includes(step)) return;
    const lengthMs = prng.between(2000, 25_000);
    cluster.trace.note(`            a rest of ${lengthMs} ms`);
    // What is cut or dead stays so in some rests: others are level meanwhile.
    if (prng.chance(0.8)) this.mend();
    cluster.timeline.postpone(({ kind }: SimulatedEvent) => OF_CLIENTS.test(kind) || OF_FAULTS.test(kind), lengthMs);
    await cluster.runFor(lengthMs);
  }

  private mend(): void {
    const { network, nodes } = this.cluster;
    network.heal();
    for (const node of nodes.values()) if (node.life === undefined) node.start();
  }
}
