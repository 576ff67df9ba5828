// What goes wrong? Links are cut, one way or both; processes die at any moment and come back; disks are lost; clocks jump.

import type { Cluster, Reading } from './cluster.js';
import type { SimulatedNode } from './node.js';
import type { Prng } from './prng.js';

export class Faults {
  private isOver = false;

  constructor(
    private readonly cluster: Cluster,
    private readonly prng: Prng,
  ) {
    if (cluster.options.diesWithNews) this.scheduleNews(prng.pick([300, 3000]));
    else this.schedule();
  }

  end(): void {
    this.isOver = true;
  }

  /**
   * These nodes die for good, one after the other, and each is cut off from the others before: what only they knew
   * reaches the survivors in parts, by way of those that die later.
   */
  doom(doomed: readonly string[]): void {
    const { cluster, prng } = this;
    const { names, network, nodes, timeline, trace } = cluster;
    this.end();
    network.heal();
    for (const node of nodes.values()) if (node.life === undefined) node.start();
    const lengthMs = prng.pick(cluster.options.dyingMs);
    for (const name of doomed) {
      const cutAfterMs = prng.int(lengthMs);
      timeline.schedule(cutAfterMs, name, 'cut off', () => {
        const isDeaf = prng.chance(0.7);
        for (const other of names) {
          if (doomed.includes(other)) continue;
          network.cut(name, other);
          if (isDeaf) network.cut(other, name);
        }
      });
      timeline.schedule(cutAfterMs + prng.int(lengthMs), name, 'dies', () => nodes.get(name)!.crash());
    }
    trace.note(`            ${doomed.join(' ')} are to die`);
  }

  private schedule(): void {
    const { cluster, prng } = this;
    const node = prng.pick(cluster.names);
    const waitMs = prng.intervalMs(cluster.options.faultEveryMs);
    cluster.timeline.schedule(waitMs, node, 'fault', () => {
      if (this.isOver) return;
      this.schedule();
      this.strike(node);
    });
  }

  private strike(name: string): void {
    const { cluster, prng } = this;
    const { options, trace } = cluster;
    const node = cluster.node(name);
    const kind = prng.next();
    if (kind < 0.4 && options.cuts) this.cutOrMend(name);
    else if (kind < 0.5 && options.crashes) {
      trace.note(`            ${name} is told to stop`);
      node.stop().catch((error: unknown) => cluster.fail(error));
      this.restart(name, prng.pick([1500, 5000]));
    } else if (kind < 0.85 && options.crashes) {
      trace.note(`            ${name} ${node.life ? 'crashes' : 'starts'}`);
      if (node.life !== undefined) node.crash();
      else node.start();
      if (node.life === undefined && prng.chance(0.7)) this.restart(name, prng.pick([0, 50, 1500]));
    } else if (kind < 0.9 && options.wipes) {
      trace.note(`            ${name} loses its disk`);
      node.wipe();
      this.restart(name, prng.pick([0, 50, 1500]));
    } else if (kind < 0.9 && options.oldCopies) {
      this.copyOrPutBack(name);
    } else if (kind < 0.95 && options.clockJumps) {
      node.wallOffsetMs += prng.between(-100_000, 100_000);
    }
    // A failing disk ends its process at another moment than this: somebody has to start it again.
    if (options.diskFailures && prng.chance(0.5)) this.restart(name, 100);
  }

  private scheduleNews(waitMs: number): void {
    const { cluster, prng } = this;
    const { network, names, timeline, trace } = cluster;
    const name = prng.pick(names);
    const key = prng.pick(cluster.keys);
    timeline.schedule(waitMs, name, 'cut off', () => {
      if (this.isOver) return;
      trace.note(`            ${name} will lose its disk`);
      // Or what it tells last comes later than its end.
      if (prng.chance(0.5)) cutOff(network, name, names);
      void cluster.write(name, key, cluster.nextValue());
      timeline.schedule(prng.pick([20, 200, 1500]), name, 'loses its disk', () => {
        network.heal();
        if (this.isOver) return;
        const reading = cluster.read(name, key);
        trace.note(`            ${name} loses its disk`);
        cluster.node(name).wipe();
        this.restart(name, prng.pick([0, 50, 1500]));
        if (reading !== undefined) this.bring(reading, prng.pick([10, 1000, 3000]));
      });
      // Others lose theirs while the first one's writes are being given up, or when that is over.
      this.scheduleNews(prng.pick([5000, 20_000]));
    });
  }

  /** A client has read what is lost, and goes on elsewhere. */
  private bring(reading: Reading, afterMs: number): void {
    const { cluster, prng } = this;
    const name = prng.pick(cluster.names);
    cluster.timeline.schedule(afterMs, name, 'client', () => {
      if (this.isOver) return;
      cluster.trace.note(`            writes ${reading.key} at ${name}, having read it at ${reading.node}`);
      void cluster.write(name, reading.key, cluster.nextValue(), { reading });
    });
  }

  /** One disk at a time, so that every other node is there to be asked. */
  private copyOrPutBack(name: string): void {
    const { cluster, prng } = this;
    const node = cluster.node(name);
    const areOthersUp = [...cluster.nodes.values()].every(
      (other) => other === node || other.driver?.progress.isIntroduced,
    );
    if (!areOthersUp || node.driver?.progress.isIntroduced !== true) return;
    if (prng.chance(0.4)) {
      cluster.trace.note(`            the disk of ${name} is copied`);
      node.copyDisk();
    } else if (this.isAllKnown(node) && node.putBackCopy()) {
      cluster.trace.note(`            the copy of the disk of ${name} is put back`);
    }
    if (node.life === undefined) node.start();
  }

  /** A dot that no other node knows would be given for the second time: nobody could tell. */
  private isAllKnown(node: SimulatedNode): boolean {
    const { nodes, oracle } = this.cluster;
    const { copiedActor } = node;
    if (copiedActor === undefined) return false;
    const written = oracle.lastCounter(copiedActor);
    return [...nodes.values()].some((other) => other !== node && other.mind.durableCounter(copiedActor) >= written);
  }

  private cutOrMend(name: string): void {
    const { cluster, prng } = this;
    const { network, names, trace } = cluster;
    const kind = prng.next();
    const other = prng.pick(names);
    if (kind < 0.3) {
      trace.note(`            cut ${name} -> ${other}`);
      network.cut(name, other);
    } else if (kind < 0.55) {
      trace.note(`            cut ${name} off`);
      cutOff(network, name, names);
    } else if (kind < 0.75) {
      trace.note(`            mend ${name} <-> ${other}`);
      network.mend(name, other);
      network.mend(other, name);
    } else {
      trace.note('            mend all');
      network.heal();
    }
  }

  private restart(name: string, afterMs: number): void {
    const node = this.cluster.node(name);
    this.cluster.timeline.schedule(afterMs, name, 'start', () => {
      if (this.isOver) return;
      if (node.life?.isStopping) node.crash();
      if (node.life === undefined) node.start();
    });
  }
}

function cutOff(network: Cluster['network'], name: string, names: readonly string[]): void {
  for (const peer of names) {
    network.cut(name, peer);
    network.cut(peer, name);
  }
}
