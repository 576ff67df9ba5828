// Does a client that goes from replica to replica with its session ever meet the past?
//
// A session promises four things, and what follows from them across keys: its reads show its earlier writes; they never show
// less than earlier ones did; its writes come after its earlier ones; and after all that it had read. So whoever reads a
// write, and goes on with the session that this read gave, is shown all that the author of the write had seen, of any key.
//
// Here is an account of that by single writes, and of nothing else: what a client's past is, and what the past of each
// write's author was. Tokens are sealed and opened by production code, as the HTTP edge does it.

import { Tokens } from '../../src/controllers/http/tokens.js';
import { ReplicaStoppedError } from '../../src/replication/errors.js';
import type { ReplicaDriver } from '../../src/replication/replica-driver.js';
import type { Shown } from '../../src/replication/requests.js';
import type { Cluster, Past, Reading } from './cluster.js';
import type { SimulatedNode } from './node.js';
import { NOTHING, type WriteSet } from './oracle.js';
import type { Prng } from './prng.js';
import { readQuorum } from './quorum-readers.js';
import { Violation } from './violation.js';

/** Longer than any request waits. */
const GIVES_UP_MS = 4000;

interface Client {
  readonly name: string;
  token: string | undefined;
  readonly past: Past;
  /** The last read of each key, for writes that say what they replace. */
  readonly readings: Map<string, Reading>;
  /** The request that is under way, counted up; undefined: none is. */
  waitingFor: number | undefined;
}

export class Sessions {
  private readonly tokens = new Tokens('a secret');
  private readonly clients: readonly Client[];
  private isOver = false;
  private requests = 0;

  constructor(
    private readonly cluster: Cluster,
    private readonly prng: Prng,
  ) {
    this.clients = Array.from({ length: cluster.options.sessions }, (_, i) => ({
      name: `session ${i + 1}`,
      token: undefined,
      past: new Map(),
      readings: new Map(),
      waitingFor: undefined,
    }));
    for (const client of this.clients) this.schedule(client);
  }

  end(): void {
    this.isOver = true;
  }

  private schedule(client: Client): void {
    const { cluster, prng } = this;
    const name = prng.pick(cluster.names);
    const waitMs = prng.intervalMs(cluster.options.operationEveryMs * 2);
    cluster.timeline.schedule(waitMs, name, client.name, () => {
      if (this.isOver) return;
      this.schedule(client);
      if (client.waitingFor !== undefined) return;
      const request = ++this.requests;
      client.waitingFor = request;
      const end = (): void => {
        if (client.waitingFor === request) client.waitingFor = undefined;
      };
      this.operate(client, cluster.node(name), request).then(end, (error: unknown) => {
        // A read of several replicas that a failing disk ended is nobody's fault.
        const isExpected = error instanceof ReplicaStoppedError && cluster.node(name).driver === undefined;
        if (isExpected) end();
        else cluster.fail(error);
      });
      // A client whose replica has died hears nothing any more, and goes on.
      cluster.timeline.schedule(GIVES_UP_MS, name, `${client.name} goes on`, end);
    });
  }

  private async operate(client: Client, node: SimulatedNode, request: number): Promise<void> {
    const { cluster, prng, tokens } = this;
    const { driver, life } = node;
    const key = prng.pick(cluster.keys);
    const isRead = prng.chance(0.6);
    const answersNeeded = cluster.options.quorumReads && prng.chance(0.3) ? prng.between(2, cluster.names.length) : 1;
    const isInformed = prng.chance(0.5);
    const timeoutMs = prng.pick([0, 100, 1500]);
    if (driver === undefined || life === undefined) return;
    if (client.token !== undefined) {
      life.waiting++;
      const isServed = await driver.covers(tokens.parseSession(client.token), timeoutMs);
      life.waiting--;
      cluster.count(isServed ? 'session served' : 'session turned away');
      if (!isServed || node.driver !== driver || client.waitingFor !== request) return;
      this.checkServed(client, node);
    }
    if (isRead) await this.read(client, node, key, answersNeeded, request);
    else await this.write(client, node, key, isInformed ? client.readings.get(key) : undefined, request);
  }

  /** Of every key, for the next request may be for any. */
  private checkServed({ name, past }: Client, node: SimulatedNode): void {
    const { oracle } = this.cluster;
    for (const [key, writes] of past) {
      const missing = writes & ~(node.mind.visible.keys.get(key) ?? NOTHING).known;
      if (missing === 0n) continue;
      const names = oracle.names(key, missing).join(' ');
      throw new Violation('session guarantees', `${node.name} serves ${name} without ${names} of ${key}`);
    }
  }

  private async read(
    client: Client,
    node: SimulatedNode,
    key: string,
    answersNeeded: number,
    request: number,
  ): Promise<void> {
    const { cluster } = this;
    const driver = node.driver!;
    const reading =
      answersNeeded > 1 && cluster.names.length > 1
        ? await readQuorum(cluster, node.name, key, answersNeeded, 1000)
        : cluster.read(node.name, key);
    cluster.trace.note(`            ${client.name} reads ${key} at ${node.name}, r=${answersNeeded}`);
    if (reading === undefined || client.waitingFor !== request) return;
    client.readings.set(key, reading);
    this.checkSeen(client, key, reading.seen, `${node.name} shows ${client.name}`);
    this.follow(client, key, reading.seen);
    this.give(client, reading, node, driver);
  }

  private async write(
    client: Client,
    node: SimulatedNode,
    key: string,
    reading: Reading | undefined,
    request: number,
  ): Promise<void> {
    const { cluster, prng } = this;
    const driver = node.driver!;
    const value = prng.chance(cluster.options.deletes) ? undefined : cluster.nextValue();
    const past = new Map(client.past);
    const count = cluster.oracle.count(key);
    const answered = cluster.write(node.name, key, value, { reading });
    const write = cluster.oracle.latest(key);
    if (answered === undefined || write === undefined || cluster.oracle.count(key) === count) return;
    cluster.trace.note(`            ${client.name} writes ${write.actor}:${write.counter}, ${key}=${value}`);
    // What it says that it has seen is its own matter; else it has seen what the session has.
    if (reading === undefined) this.checkSeen(client, key, write.seen, `${node.name} takes a write of ${client.name}`);
    past.set(key, (past.get(key) ?? 0n) | write.bit | write.seen);
    cluster.pasts.set(write, past);
    const result = await answered.catch(() => undefined);
    // A client that has gone on meanwhile has done so with the token that it had.
    if (result?.kind !== 'written' || client.waitingFor !== request) return;
    this.follow(client, key, write.seen | write.bit);
    this.give(client, result.container, node, driver);
  }

  private checkSeen({ past }: Client, key: string, seen: WriteSet, where: string): void {
    const missing = (past.get(key) ?? 0n) & ~seen;
    if (missing === 0n) return;
    const names = this.cluster.oracle.names(key, missing).join(' ');
    throw new Violation('session guarantees', `${where} without ${names} of ${key}`);
  }

  /** What is read comes with all that its authors had seen, of any key. */
  private follow({ past }: Client, key: string, seen: WriteSet): void {
    this.cluster.addPast(past, key, seen);
  }

  /** The token that comes with an answer takes the place of the one before it, and remembers all of the client's past. */
  private give(client: Client, shown: Shown, node: SimulatedNode, driver: ReplicaDriver): void {
    const { oracle } = this.cluster;
    client.token = this.tokens.session(driver.seen(shown));
    const remembered = this.tokens.parseSession(client.token);
    for (const [key, writes] of client.past) {
      const forgotten = writes & ~oracle.covered(key, remembered);
      if (forgotten === 0n) continue;
      const names = oracle.names(key, forgotten).join(' ');
      throw new Violation('session token', `${node.name} gives ${client.name} a token that forgets ${names} of ${key}`);
    }
  }
}
