// What must a read of several replicas show, by the oracle's account? All that the replicas which answered had visible, and
// no less: neither of the key's versions nor of its past. And what may it change? What lacked something of it, and nothing
// else: it is no write.

import type { Input } from '../../src/replication/engine/input.js';
import type { Output } from '../../src/replication/engine/output.js';
import { checkContainer } from './checks.js';
import type { Cargo, Mind } from './mind.js';
import { merged, NOTHING, type Knowledge, type Oracle } from './oracle.js';
import { Violation } from './violation.js';

interface Gathered {
  found: Knowledge;
  /** By peer, what it had. */
  readonly answers: Map<string, Knowledge>;
}

export class QuorumKnowledge {
  /** By the number of the request. */
  private readonly reads = new Map<number, Gathered>();

  constructor(
    private readonly node: string,
    private readonly mind: Mind,
    private readonly oracle: Oracle,
  ) {}

  /** The process ends, and its clients with it. */
  forget(): void {
    this.reads.clear();
  }

  follow(input: Input, output: Output, cargo: Cargo | undefined, wallMs: number): void {
    if (input.kind === 'read') this.reads.set(input.id, { found: NOTHING, answers: new Map() });
    const key = input.kind === 'peer-answer' && input.to === 'read' ? this.gather(input, cargo) : undefined;
    for (const reply of output.replies) {
      if (reply.kind !== 'read') continue;
      const gathered = this.reads.get(reply.id);
      this.reads.delete(reply.id);
      const of = input.kind === 'read' ? input.key : key;
      if (reply.result.kind === 'read' && of !== undefined) {
        this.check(of, gathered!, reply.result.container, output, wallMs);
      }
    }
  }

  private gather(input: Extract<Input, { kind: 'peer-answer' }>, cargo: Cargo | undefined): string | undefined {
    const gathered = this.reads.get(input.readId!);
    const [answered] = cargo?.keys ?? [];
    if (gathered === undefined || answered === undefined) return undefined;
    const [key, knowledge] = answered;
    gathered.found = merged(gathered.found, knowledge);
    gathered.answers.set(input.from, knowledge);
    return key;
  }

  private check(
    key: string,
    { found, answers }: Gathered,
    shown: Parameters<typeof checkContainer>[3],
    { sends, writes }: Output,
    wallMs: number,
  ): void {
    const { mind, node, oracle } = this;
    const known = merged(mind.working(key), found);
    // A read of this replica alone merges nothing, and stores nothing.
    const all = answers.size === 0 ? known : oracle.afterDropping(key, known, wallMs);
    checkContainer(oracle, `${node} answers from ${answers.size + 1} replicas`, key, shown, all);
    if (writes.log.length > 0) throw new Violation('read repair', `${node} has given a dot to a read of ${key}`);
    const must = oracle.visibleSet(key, all);
    if (oracle.visibleSet(key, mind.working(key)) !== must) mind.learn(key, all);
    for (const [peer, knowledge] of answers) {
      const isStale = oracle.visibleSet(key, oracle.afterDropping(key, knowledge, wallMs)) !== must;
      if (isStale === sends.some((send) => send.kind === 'repair' && send.to === peer && send.key === key)) continue;
      const told = isStale ? 'leaves as it is what lacks something of' : 'repairs what has all of';
      throw new Violation('read repair', `${node} ${told} ${key} at ${peer}`);
    }
  }
}
