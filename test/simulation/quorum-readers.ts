// What do readers of several replicas see? Every write that is known so widely that their replicas and its replicas must
// have one in common. Some write with what they have just read.

import { readOrDamage } from './checks.js';
import type { Cluster, Reading } from './cluster.js';
import { NOTHING, type WriteSet } from './oracle.js';
import type { Prng } from './prng.js';
import { Violation } from './violation.js';

/** Readers are few: their requests must not hide what replication does by itself. */
const READ_EVERY_OPERATIONS = 6;

/** What so many replicas know of the key, merged; undefined when too few have answered, or the record is damaged. */
export async function readQuorum(
  cluster: Cluster,
  name: string,
  key: string,
  answersNeeded: number,
  timeoutMs: number,
): Promise<Reading | undefined> {
  const node = cluster.node(name);
  const { driver, life } = node;
  if (driver === undefined || life === undefined || readOrDamage(driver, key) === undefined) return undefined;
  const mustSee = knownWidely(cluster, key, cluster.names.length - answersNeeded + 1);
  life.waiting++;
  const result = await driver.readQuorum({ key, answersNeeded, timeoutMs }).finally(() => life.waiting--);
  if (life.isOver || result.kind === 'not-reached') return undefined;
  if (result.answers < answersNeeded) {
    throw new Violation('quorum', `${name} answers with ${result.answers} of ${answersNeeded} replicas`);
  }
  const { container, past } = result;
  const { context } = container;
  const seen = cluster.oracle.covered(key, context);
  const missed = mustSee() & ~seen;
  if (missed !== 0n) {
    const names = cluster.oracle.names(key, missed).join(' ');
    throw new Violation('quorum', `${name} has asked ${answersNeeded} replicas for ${key} and has not seen ${names}`);
  }
  return { node: name, key, context, past, seen };
}

/** The writes that now at least `holdersMin` nodes show or have shown, on disks that are still there when it is called. */
function knownWidely({ nodes }: Cluster, key: string, holdersMin: number): () => WriteSet {
  const holders = [...nodes.values()].map((node) => ({
    node,
    disk: node.disksLost,
    known: (node.mind.visible.keys.get(key) ?? NOTHING).known,
  }));
  return () => {
    const knownByAtLeast: WriteSet[] = [-1n];
    for (const { node, disk, known } of holders) {
      if (node.disksLost !== disk) continue;
      for (let count = holdersMin; count > 0; count--) {
        knownByAtLeast[count] = (knownByAtLeast[count] ?? 0n) | ((knownByAtLeast[count - 1] ?? 0n) & known);
      }
    }
    return knownByAtLeast[holdersMin] ?? 0n;
  };
}

export class QuorumReaders {
  private isOver = false;

  constructor(
    private readonly cluster: Cluster,
    private readonly prng: Prng,
  ) {
    if (cluster.options.quorumReads) this.schedule();
  }

  end(): void {
    this.isOver = true;
  }

  private schedule(): void {
    const { cluster, prng } = this;
    const node = prng.pick(cluster.names);
    const waitMs = prng.intervalMs(cluster.options.operationEveryMs * READ_EVERY_OPERATIONS);
    cluster.timeline.schedule(waitMs, node, 'quorum reader', () => {
      if (this.isOver) return;
      this.schedule();
      this.operate(node).catch((error: unknown) => this.failed(node, error));
    });
  }

  private async operate(node: string): Promise<void> {
    const { cluster, prng } = this;
    const key = prng.pick(cluster.keys);
    const answersNeeded = prng.between(1, cluster.names.length);
    const value = prng.chance(0.4) ? cluster.nextValue() : undefined;
    const reading = await readQuorum(cluster, node, key, answersNeeded, prng.pick([20, 200, 2000]));
    cluster.trace.note(`            reads ${key} at ${node}, r=${answersNeeded}: ${reading ? 'answered' : 'too few'}`);
    cluster.count(reading ? 'quorum read' : 'quorum not reached');
    if (reading === undefined || value === undefined) return;
    const written = cluster.write(prng.chance(0.5) ? node : prng.pick(cluster.names), key, value, { reading });
    // The cluster reports what it minds.
    await written?.catch(() => {});
  }

  private failed(name: string, error: unknown): void {
    const { cluster } = this;
    const isExpected = cluster.node(name).driver === undefined && !(error instanceof Violation);
    if (!isExpected) cluster.fail(error);
  }
}
