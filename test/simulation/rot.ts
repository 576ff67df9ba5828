// What becomes of records at rest? Now and then a bit of one flips, on the disk of a node that runs. Its own chance, so
// that a seed's other faults are the same with it and without.

import type { Cluster } from './cluster.js';
import { Prng } from './prng.js';

/** Longer than a replica asks before it takes writes for lost. */
const CUT_MS = 8000;

export class Rot {
  private readonly prng: Prng;
  private isOver = false;

  constructor(private readonly cluster: Cluster) {
    this.prng = new Prng(cluster.options.seed ^ 0x0b17);
    if (cluster.options.bitFlips) this.schedule();
  }

  end(): void {
    this.isOver = true;
  }

  private schedule(): void {
    const { cluster, prng } = this;
    const name = prng.pick(cluster.names);
    cluster.timeline.schedule(prng.between(1, 2 * cluster.options.faultEveryMs), name, 'bit flip', () => {
      if (this.isOver) return;
      this.schedule();
      const node = cluster.node(name);
      const records = node.diskRecords.filter((record) => /^[ka]/.test(record));
      if (node.driver === undefined || records.length === 0) return;
      const record = prng.pick(records);
      node.damage.flipBit(record, prng.next());
      cluster.trace.note(`            a bit of ${record} flips on the disk of ${name}`);
      // A process that has the key in memory does not notice.
      if (record.startsWith('k') && prng.chance(0.7)) this.restart(name);
      if (prng.chance(0.3)) this.cutOff(prng.pick(cluster.names.filter((other) => other !== name)));
    });
  }

  /** One that may have what the damaged record had does not answer for longer than patience lasts. */
  private cutOff(name: string): void {
    const { network, names, timeline, trace } = this.cluster;
    const others = names.filter((other) => other !== name);
    trace.note(`            cut ${name} off`);
    for (const other of others) {
      network.cut(name, other);
      network.cut(other, name);
    }
    timeline.schedule(CUT_MS, name, 'mended', () => {
      for (const other of others) {
        network.mend(name, other);
        network.mend(other, name);
      }
    });
  }

  private restart(name: string): void {
    const { cluster, prng } = this;
    const node = cluster.node(name);
    cluster.trace.note(`            ${name} crashes`);
    node.crash();
    cluster.timeline.schedule(prng.pick([0, 50, 1500]), name, 'start', () => {
      if (!this.isOver && node.life === undefined) node.start();
    });
  }
}
