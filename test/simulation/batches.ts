// Does a batch come to disk as one, and is each of its operations answered as if it had been alone? Clients give some
// replica several operations at once: writes with what they have read or without, and reads between them.

import type { BatchOperation, BatchResult } from '../../src/replication/batches.js';
import type { Cluster, Reading } from './cluster.js';
import type { Knowledge, OracleWrite } from './oracle.js';
import type { Prng } from './prng.js';
import { Violation } from './violation.js';

/** Batches are few: they must not hide what single writes show. */
const BATCH_EVERY_OPERATIONS = 8;

/** A write of a batch, from its step on. */
interface Taken {
  readonly key: string;
  readonly write: OracleWrite | undefined;
  readonly before: Knowledge;
  readonly after: Knowledge;
  readonly wallMs: number;
}

export class Batches {
  private isOver = false;
  /** By key, what was read last. */
  private readonly readings = new Map<string, Reading>();

  constructor(
    private readonly cluster: Cluster,
    private readonly prng: Prng,
  ) {
    // A batch is of plain values.
    if (cluster.options.batches && cluster.keys.some((key) => cluster.kindOf(key) === 'register')) this.schedule();
  }

  end(): void {
    this.isOver = true;
  }

  private schedule(): void {
    const { cluster, prng } = this;
    const node = prng.pick(cluster.names);
    const waitMs = prng.intervalMs(cluster.options.operationEveryMs * BATCH_EVERY_OPERATIONS);
    cluster.timeline.schedule(waitMs, node, 'batch', () => {
      if (this.isOver) return;
      this.schedule();
      this.run(node).catch((error: unknown) => {
        if (error instanceof Violation || cluster.node(node).driver !== undefined) cluster.fail(error);
      });
    });
  }

  private async run(name: string): Promise<void> {
    const { cluster, prng } = this;
    const node = cluster.node(name);
    const { driver, life } = node;
    const operations = Array.from({ length: prng.between(1, 6) }, () => this.operation(name));
    const acksNeeded = prng.chance(0.3) ? prng.between(1, cluster.names.length) : 1;
    const timeoutMs = prng.pick([50, 500, 3000]);
    if (driver?.progress.isIntroduced !== true || life === undefined) return;
    const taken: Taken[] = [];
    for (const operation of operations) {
      if (operation.kind === 'write') node.coming.push(() => taken.push(this.take(name, driver.actor, operation)));
    }
    const deadlineMs = cluster.timeline.nowMs + timeoutMs;
    cluster.trace.note(`            ${operations.length} operations at ${name} in one batch, w=${acksNeeded}`);
    life.waiting++;
    let left = node.coming.length;
    const keep = (operation: BatchOperation, result: BatchResult): BatchResult => {
      // What can't be read is found out before the step, which is not begun then.
      if (operation.kind === 'write' && node.coming.length === left--) {
        node.coming.shift();
        const { key } = operation;
        const known = node.mind.working(key);
        taken.push({ key, write: undefined, before: known, after: known, wallMs: node.nowMs });
      }
      return result;
    };
    const running = driver.batch(operations, { acksNeeded, timeoutMs }, keep).finally(() => life.waiting--);
    const writes = taken.flatMap(({ write }) => write ?? []);
    // A write whose record is damaged was given back.
    node.isWhole(writes.filter((write) => cluster.oracle.write(write.actor, write.counter) === write));
    const { results, acks } = await running;
    if (life.isOver) return;
    cluster.count('batch');
    // One that is told to stop answers with what it has.
    const isTimely = acksNeeded <= 1 || (cluster.timeline.nowMs < deadlineMs && !life.isStopping);
    this.check(name, operations, results, taken, { acks, acksNeeded: isTimely ? acksNeeded : 1 });
  }

  private operation(name: string): BatchOperation {
    const { cluster, prng, readings } = this;
    const key = prng.pick(cluster.keys.filter((each) => cluster.kindOf(each) === 'register'));
    if (prng.chance(0.3)) {
      const reading = cluster.read(name, key);
      if (reading !== undefined) readings.set(key, reading);
      return { kind: 'read', key };
    }
    const reading = prng.chance(cluster.options.contexts) ? readings.get(key) : undefined;
    const context = reading && { vector: reading.context, dot: undefined, past: reading.past };
    if (prng.chance(cluster.options.deletes)) {
      return { kind: 'write', key, context, operation: { kind: 'delete', type: 'register' } };
    }
    const value = Buffer.from(cluster.nextValue());
    return {
      kind: 'write',
      key,
      context,
      operation: { kind: 'put', contentType: 'text/plain', value, ttlMs: undefined },
    };
  }

  /** The step of the write is about to begin. */
  private take(name: string, actor: string, { key, context, operation }: BatchOperation & { kind: 'write' }): Taken {
    const { cluster } = this;
    const { oracle } = cluster;
    const node = cluster.node(name);
    const before = node.mind.working(key);
    const live = oracle.visibleSet(key, before);
    const { nowMs: wallMs } = node;
    const seen = context === undefined ? before.known : oracle.covered(key, context.vector);
    if (operation.kind === 'put' && cluster.hasTooMany(key, actor, live, live & ~seen))
      return { key, write: undefined, before, after: before, wallMs };
    const value = operation.kind === 'put' ? Buffer.from(operation.value).toString() : undefined;
    const write = oracle.record(key, actor, node.mind.counter(actor) + 1, value, seen);
    node.take(key, [write]);
    return { key, write, before, after: node.mind.working(key), wallMs };
  }

  /** What its reads show is held against the oracle as they go. */
  private check(
    name: string,
    operations: readonly BatchOperation[],
    results: readonly BatchResult[],
    taken: readonly Taken[],
    { acks, acksNeeded }: { readonly acks: number; readonly acksNeeded: number },
  ): void {
    const { cluster } = this;
    if (results.length !== operations.length) throw new Violation('batch answers', `${name} leaves results out`);
    let place = 0;
    results.forEach((result, i) => {
      const operation = operations[i]!;
      const isRotten = cluster.node(name).damage.isRotten(operation.key);
      const write = operation.kind === 'write' ? taken[place++]! : undefined;
      if (result.kind === 'damaged' && isRotten) return;
      if (write === undefined) {
        if (result.kind !== 'read') throw new Violation('batch answers', `${name} answers ${result.kind} to a read`);
        return;
      }
      if (result.kind === 'damaged' || result.kind === 'read' || !('container' in result || 'live' in result)) {
        throw new Violation('batch answers', `${name} answers ${result.kind} to a write of ${write.key}`);
      }
      const acknowledged = result.kind === 'written' ? { ...result, acks } : result;
      const writes = write.write === undefined ? undefined : [write.write];
      cluster.checkResult(name, write.key, acknowledged, writes, { ...write, acksNeeded });
    });
  }
}
