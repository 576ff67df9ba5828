// How does a test get several replicas that it can cut from each other? Every link from one to another goes through a
// proxy of its own. Replicas listen on ports that the system chooses, and the proxies are aimed at them once they are
// known: no port is guessed, and a replica that starts again is found again.

import { InProcessNode, type Overrides } from './in-process-node.js';
import { LinkProxy } from './link-proxy.js';
import { until } from './until.js';

export class InProcessCluster {
  private isWhole = true;

  private constructor(
    readonly nodes: readonly InProcessNode[],
    private readonly links: ReadonlyMap<string, LinkProxy>,
  ) {}

  static async start(size: number, overrides: Overrides = {}): Promise<InProcessCluster> {
    const names = Array.from({ length: size }, (_, place) => `n${place + 1}`);
    const links = new Map<string, LinkProxy>();
    for (const from of names) {
      for (const to of names) if (from !== to) links.set(link(from, to), await LinkProxy.listen('127.0.0.1', 0));
    }
    const nodes: InProcessNode[] = [];
    const cluster = new InProcessCluster(nodes, links);
    try {
      for (const name of names) {
        const peers = names
          .filter((other) => other !== name)
          .map((other) => ({
            name: other,
            url: `http://127.0.0.1:${links.get(link(name, other))!.port}`,
            isNamed: true,
          }));
        nodes.push(await InProcessNode.start({ ...overrides, name, peers }));
        cluster.aimAt(nodes.at(-1)!);
      }
      await cluster.meet();
    } catch (error) {
      await cluster.remove();
      throw error;
    }
    return cluster;
  }

  /** No requests from `from` to `to`; the other way they still go. */
  cut(from: InProcessNode, to: InProcessNode): void {
    this.isWhole = false;
    this.links.get(link(from.name, to.name))!.cut();
  }

  /** Nothing passes between this node and any other, in either direction. */
  isolate(node: InProcessNode): void {
    for (const other of this.nodes) {
      if (other === node) continue;
      this.cut(node, other);
      this.cut(other, node);
    }
  }

  /** Cuts every link there is. */
  scatter(): void {
    for (const node of this.nodes) this.isolate(node);
  }

  heal(): void {
    for (const proxy of this.links.values()) proxy.heal();
  }

  /** After a test: heals what it cut, if it cut anything, and waits until all replicas agree. */
  async restore(): Promise<void> {
    if (this.isWhole) return;
    this.heal();
    await this.converge();
    this.isWhole = true;
  }

  async restart(node: InProcessNode, overrides: Overrides = {}): Promise<void> {
    await node.restart(overrides);
    this.aimAt(node);
  }

  /** Resolves when all nodes tell the same clock, and know that the others do. */
  async converge(): Promise<void> {
    await until('all replicas have the same clock', async () => {
      const clusters = await Promise.all(this.nodes.map((node) => node.cluster()));
      const clocks = clusters.map(({ clock }) => JSON.stringify(Object.entries(clock).sort()));
      const isLevel = clusters.every(({ peers }) => peers.every((peer) => peer.state === 'up'));
      return isLevel && new Set(clocks).size === 1;
    });
  }

  async remove(): Promise<void> {
    // Proxies first: a request between two nodes must not hold up the end of both.
    for (const proxy of this.links.values()) await proxy.close();
    await Promise.all(this.nodes.map((node) => node.remove()));
  }

  /** Resolves when every node has heard from every other. */
  private async meet(): Promise<void> {
    await until('all replicas see each other', async () => {
      const clusters = await Promise.all(this.nodes.map((node) => node.cluster()));
      return clusters.every(({ peers }) => peers.every((peer) => peer.state === 'up'));
    });
  }

  private aimAt(node: InProcessNode): void {
    for (const [name, proxy] of this.links) if (name.endsWith(`>${node.name}`)) proxy.aim(node.port);
  }
}

/** A cluster of `size` replicas, n1 to n`size`, that see each other. */
export function startCluster(size: number, overrides: Overrides = {}): Promise<InProcessCluster> {
  return InProcessCluster.start(size, overrides);
}

function link(from: string, to: string): string {
  return `${from}>${to}`;
}
