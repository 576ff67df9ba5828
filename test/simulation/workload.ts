// What do clients do? They read keys at any replica, and write with what they have just seen, with what they saw long
// ago at another replica, or without looking. Some carry a session from replica to replica.

import { sizeOf, type Cluster, type Reading } from './cluster.js';
import type { WriteSet } from './oracle.js';
import type { Prng } from './prng.js';
import { Violation } from './violation.js';

/** Readings that a client remembers of a key; the oldest ones are stale by then. */
const READINGS_MAX = 4;

interface Client {
  readonly readings: Map<string, Reading[]>;
  /** The session token: everything that its reads and writes have shown it. */
  readonly session: Map<string, number>;
  /** The same by the oracle's account. */
  readonly seen: Map<string, WriteSet>;
}

export class Workload {
  private readonly clients: readonly Client[];
  private isOver = false;

  constructor(
    private readonly cluster: Cluster,
    private readonly prng: Prng,
  ) {
    this.clients = Array.from({ length: cluster.options.clients }, () => ({
      readings: new Map(),
      session: new Map(),
      seen: new Map(),
    }));
    this.schedule();
  }

  end(): void {
    this.isOver = true;
  }

  private schedule(): void {
    const { cluster, prng } = this;
    const node = prng.pick(cluster.names);
    const waitMs = prng.intervalMs(cluster.options.operationEveryMs);
    cluster.timeline.schedule(waitMs, node, 'client', () => {
      if (this.isOver) return;
      this.schedule();
      this.operate(node);
    });
  }

  private operate(node: string): void {
    const { cluster, prng } = this;
    const client = prng.pick(this.clients);
    const key = prng.pick(cluster.keys);
    const kind = prng.next();
    if (kind < 0.35) this.read(client, node, key);
    else if (kind < 0.42) this.readInSession(client, node, key);
    else this.write(client, node, key);
  }

  private read(client: Client, node: string, key: string): void {
    const reading = this.cluster.read(node, key);
    if (reading === undefined) return;
    this.cluster.trace.note(
      `            reads ${key} at ${node}: ${this.cluster.oracle.names(key, reading.seen).length} seen`,
    );
    this.keep(client, reading);
    remember(client, key, reading.context, reading.seen);
  }

  private keep({ readings }: Client, reading: Reading): void {
    const ofKey = readings.get(reading.key) ?? [];
    ofKey.push(reading);
    if (ofKey.length > READINGS_MAX) ofKey.shift();
    readings.set(reading.key, ofKey);
  }

  private readInSession(client: Client, node: string, key: string): void {
    const { cluster, prng } = this;
    const { driver, life } = cluster.node(node);
    if (driver === undefined || life === undefined) return;
    const session = new Map(client.session);
    const seen = new Map(client.seen);
    life.waiting++;
    driver
      .covers(session, prng.pick([0, 100, 2000]))
      .then((isCovered) => {
        life.waiting--;
        if (!isCovered) return;
        for (const [of, set] of seen) {
          const known = cluster.read(node, of)?.seen ?? set;
          const missing = set & ~known;
          if (missing !== 0n)
            throw new Violation(
              'session',
              `${node} serves a client that has seen ${sizeOf(missing)} newer writes of ${of}`,
            );
        }
        this.read(client, node, key);
      })
      .catch((error: unknown) => cluster.fail(error));
  }

  private write(client: Client, node: string, key: string): void {
    const { cluster, prng } = this;
    const { options, names } = cluster;
    const readings = client.readings.get(key) ?? [];
    const reading = readings.length > 0 && prng.chance(options.contexts) ? prng.pick(readings) : undefined;
    const value = prng.chance(options.deletes) ? undefined : cluster.nextValue();
    const acksNeeded = prng.chance(0.3) ? prng.between(1, names.length) : 1;
    const timeoutMs = prng.pick([50, 500, 3000]);
    const condition = prng.chance(0.05) ? prng.chance(0.5) : undefined;
    const how = reading ? `having read it at ${reading.node}` : 'unseen';
    const what = `${key}=${value ?? 'deleted'} at ${node}, ${how}, w=${acksNeeded}`;
    cluster.trace.note(`            writes ${what}${condition === false ? ', precondition fails' : ''}`);
    void cluster
      .write(node, key, value, { reading, acksNeeded, timeoutMs, condition })
      ?.then((result) => {
        if (result.kind !== 'written') return;
        if (reading !== undefined) this.keep(client, cluster.answered(node, key, result, reading)!);
        const { actor, counter } = result.dot!;
        const write = cluster.oracle.write(actor, counter)!;
        cluster.trace.note(`            ${node} answers ${actor}:${counter} for ${what}, ${result.acks} have it`);
        remember(client, key, result.container.context, write.seen | write.bit);
      })
      .catch(() => {
        // The cluster reports what it minds; a write that a failing disk ended is nobody's fault.
      });
  }
}

function remember(client: Client, key: string, context: ReadonlyMap<string, number>, seen: WriteSet): void {
  for (const [actor, counter] of context) {
    if ((client.session.get(actor) ?? 0) < counter) client.session.set(actor, counter);
  }
  client.seen.set(key, (client.seen.get(key) ?? 0n) | seen);
}
