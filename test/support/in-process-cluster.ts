// How does a test get several replicas that it can cut from each other? Every link from one to another goes through a
// proxy of its own. Replicas listen on ports that the system chooses, and the proxies are aimed at them once they are
// known: no port is guessed, and a replica that starts again is found again. Where others reach a replica that they do not
// list is one more proxy, its door.

import { MessageGate } from './in-process-gate.js';
import { InProcessNode, type Overrides } from './in-process-node.js';
import { LinkProxy } from './link-proxy.js';
import { until } from './until.js';

export class InProcessCluster {
  private isWhole = true;
  private readonly all: InProcessNode[] = [];
  private readonly links = new Map<string, LinkProxy>();
  /** By node name. */
  private readonly doors = new Map<string, LinkProxy>();
  /** By the link that they stand in. */
  private readonly gates = new Map<string, MessageGate>();

  private constructor() {}

  static async start(size: number, overrides: Overrides = {}): Promise<InProcessCluster> {
    const names = Array.from({ length: size }, (_, place) => `n${place + 1}`);
    const cluster = new InProcessCluster();
    try {
      for (const name of names) {
        for (const other of names) if (other !== name) await cluster.lay(name, other);
      }
      for (const name of names) await cluster.add(name, { ...overrides, knows: names });
      await cluster.meet();
    } catch (error) {
      await cluster.remove();
      throw error;
    }
    return cluster;
  }

  get nodes(): readonly InProcessNode[] {
    return this.all;
  }

  /** Starts one more node, which lists those of the names in `knows` that are others. */
  async add(name: string, { knows, ...overrides }: Overrides & { knows: readonly string[] }): Promise<InProcessNode> {
    const peers = [];
    for (const other of knows) {
      if (other !== name) peers.push({ name: other, url: await this.lay(name, other), isNamed: true });
    }
    this.doors.set(name, await LinkProxy.listen('127.0.0.1', 0));
    const node = await InProcessNode.start({ url: this.doorOf(name), ...overrides, name, peers });
    this.all.push(node);
    this.aimAll();
    return node;
  }

  /** Where a node is reached by those that do not list it. */
  doorOf(name: string): string {
    return `http://127.0.0.1:${this.doors.get(name)!.port}`;
  }

  /** No requests from `from` to `to`; the other way they still go. One of them must list the other. */
  cut(from: InProcessNode, to: InProcessNode): void {
    const proxy = this.links.get(link(from.name, to.name));
    if (proxy === undefined) throw new Error(`${from.name} does not list ${to.name}: nothing of its own can be cut`);
    this.isWhole = false;
    proxy.cut();
  }

  /** Puts a gate into the link, which can hold messages. Connections that there are break. */
  async gate(from: InProcessNode, to: InProcessNode): Promise<MessageGate> {
    const name = link(from.name, to.name);
    const gate = await MessageGate.listen(0);
    this.gates.set(name, gate);
    this.aimAll();
    this.links.get(name)!.cut();
    this.links.get(name)!.heal();
    return gate;
  }

  /** Nothing passes between this node and any other that was there from the beginning, in either direction. */
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
    this.aimAll();
  }

  /** Resolves when these nodes, all unless given, tell the same clock, and know that all members do. */
  async converge(nodes: readonly InProcessNode[] = this.nodes): Promise<void> {
    await until('all replicas have the same clock', async () => {
      const clusters = await Promise.all(nodes.map((node) => node.cluster()));
      const clocks = clusters.map(({ clock }) => JSON.stringify(Object.entries(clock).sort()));
      const isLevel = clusters.every(({ peers }) => peers.every((peer) => peer.state === 'up'));
      return isLevel && new Set(clocks).size === 1;
    });
  }

  async remove(): Promise<void> {
    // Proxies first: a request between two nodes must not hold up the end of both.
    for (const proxy of [...this.links.values(), ...this.doors.values()]) await proxy.close();
    for (const gate of this.gates.values()) await gate.close();
    await Promise.all(this.nodes.map((node) => node.remove()));
  }

  /** Resolves when every node is a member and has heard from every other. */
  private async meet(): Promise<void> {
    await until('all replicas are members and see each other', async () => {
      const clusters = await Promise.all(this.nodes.map((node) => node.cluster()));
      const readiness = await Promise.all(this.nodes.map((node) => node.readiness()));
      const areMembers = readiness.every(({ checks }) => checks['member'] === '+ yes');
      return areMembers && clusters.every(({ peers }) => peers.every((peer) => peer.state === 'up'));
    });
  }

  /** The proxy of a link, made when there is none. @returns its address */
  private async lay(from: string, to: string): Promise<string> {
    const name = link(from, to);
    const proxy = this.links.get(name) ?? (await LinkProxy.listen('127.0.0.1', 0));
    this.links.set(name, proxy);
    return `http://127.0.0.1:${proxy.port}`;
  }

  private aimAll(): void {
    for (const node of this.all.filter((each) => each.isRunning)) {
      this.doors.get(node.name)!.aim(node.port);
      for (const [name, proxy] of this.links) {
        if (!name.endsWith(`>${node.name}`)) continue;
        const gate = this.gates.get(name);
        gate?.aim(node.port);
        proxy.aim(gate?.port ?? node.port);
      }
    }
  }
}

/** A cluster of `size` replicas, n1 to n`size`, that see each other. */
export function startCluster(size: number, overrides: Overrides = {}): Promise<InProcessCluster> {
  return InProcessCluster.start(size, overrides);
}

function link(from: string, to: string): string {
  return `${from}>${to}`;
}
