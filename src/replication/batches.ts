// How do many operations share one commit? All their steps run in a row, and what is at hand is committed together: each
// sees what those before it have done, nobody else's step comes between, and all are answered when the one commit is on
// disk. An operation that is refused has no effect, and the others have theirs.
//
// A read sees the keys as the operations before it left them. What a batch finds, and what its reads bring, is bounded; and of
// each result only so much is kept as its reader says, which need not be the whole state of the key.

import type { Container } from '../clock/container.js';
import { formatDot, type Dot } from '../clock/dot.js';
import { liveAt } from '../clock/lifetime.js';
import { CorruptRecordError } from '../store/record-codec.js';
import { BatchAllowance } from './batch-allowance.js';
import type { Input, RequestId, WriteInput } from './engine/input.js';
import type { ReadResult, Reply, WriteResult } from './engine/output.js';

export type BatchOperation =
  | ({ readonly kind: 'write' } & Pick<WriteInput, 'key' | 'operation' | 'context' | 'requestName'>)
  | { readonly kind: 'read'; readonly key: string };

export type BatchResult =
  | WriteResult
  | ReadResult
  /** It was not done: those before it have found as much as those of a batch may. */
  | { readonly kind: 'too-much' }
  /** The key's record can't be read. */
  | { readonly kind: 'damaged'; readonly error: CorruptRecordError };

/**
 * What is kept of a result until all are on disk. Called as soon as the step has run: nobody may hear of it yet. Never throws.
 */
export type Keep<T> = (operation: BatchOperation, result: BatchResult) => T;

export interface BatchOutcome<T> {
  /** In the order of the operations. */
  readonly results: readonly T[];
  /** Replicas that have committed all of it, this one included. */
  readonly acks: number;
}

export interface BatchShell {
  nextId(): RequestId;
  nowMs(): number;
  /**
   * Runs a step. Its reply holds once `settled` has resolved.
   * @throws CorruptRecordError when the step needs a record that can't be read; it has then changed nothing
   * @throws ReplicaStoppedError
   */
  reply(id: RequestId, input: Input): Reply;
  /** Resolves when all steps so far are on disk. */
  settled(): Promise<void>;
  request(id: RequestId, input: Input): Promise<Reply>;
  /** What the next step would see of a key. @throws CorruptRecordError */
  container(key: string): Container;
  /** The reply, with what it has when it has waited so long. */
  within(timeoutMs: number, id: RequestId, answered: Promise<Reply>): Promise<Reply>;
}

/** What a write's acknowledgements are asked for by. */
interface Dotted {
  readonly dot: Dot;
  readonly isRepeated: boolean;
}

/** All operations in one commit, acknowledged by `acksNeeded` replicas or as many as have within `timeoutMs`. */
export async function runBatch<T>(
  shell: BatchShell,
  operations: readonly BatchOperation[],
  { acksNeeded, timeoutMs }: { readonly acksNeeded: number; readonly timeoutMs: number },
  keep: Keep<T>,
): Promise<BatchOutcome<T>> {
  const { results, written } = stepAll(shell, operations, keep);
  if (operations.length > 0) await shell.settled();
  const awaited = acksNeeded <= 1 ? [] : decisive(written);
  const each = awaited.map((dotted) => acknowledged(shell, dotted, acksNeeded, timeoutMs));
  return { results, acks: Math.min(...(each.length === 0 ? [1] : await Promise.all(each))) };
}

function stepAll<T>(
  shell: BatchShell,
  operations: readonly BatchOperation[],
  keep: Keep<T>,
): { readonly results: readonly T[]; readonly written: readonly Dotted[] } {
  const wallMs = shell.nowMs();
  const allowance = new BatchAllowance();
  const written: Dotted[] = [];
  const results = operations.map((operation) => {
    const result = step(shell, operation, { allowance, wallMs });
    if (result.kind === 'written' && result.dot !== undefined) {
      written.push({ dot: result.dot, isRepeated: result.isRepeated });
    }
    return keep(operation, result);
  });
  return { results, written };
}

function step(
  shell: BatchShell,
  operation: BatchOperation,
  { allowance, wallMs }: { readonly allowance: BatchAllowance; readonly wallMs: number },
): BatchResult {
  try {
    if (!allowance.allows(operation, () => shell.container(operation.key))) return { kind: 'too-much' };
    const id = shell.nextId();
    return resultOf(shell.reply(id, inputOf(operation, id, wallMs)), wallMs);
  } catch (error) {
    if (!(error instanceof CorruptRecordError)) throw error;
    return { kind: 'damaged', error };
  }
}

/**
 * Whose clock covers the dots of these covers all of the batch: of each actor the last new one (a context in the batch may
 * have made the replica go on as another actor), and those that were written before.
 */
function decisive(results: readonly Dotted[]): readonly Dotted[] {
  const last = new Map(results.map((each) => [each.isRepeated ? formatDot(each.dot) : each.dot.actor, each]));
  return [...last.values()];
}

function inputOf(operation: BatchOperation, id: RequestId, wallMs: number): Input {
  const { kind, key } = operation;
  if (kind === 'read') return { kind, id, key, answersNeeded: 1, timeoutMs: 0 };
  const { operation: replaced, context, requestName } = operation;
  return { kind, id, key, operation: replaced, context, requestName, precondition: undefined, acksNeeded: 1, wallMs };
}

function resultOf(reply: Reply, wallMs: number): BatchResult {
  if (reply.kind === 'write') return reply.result;
  if (reply.kind !== 'read') throw new TypeError(`an operation of a batch was answered as ${reply.kind}`);
  const { result } = reply;
  if (result.kind === 'not-reached') return result;
  const { versions, context } = result.container;
  return { ...result, container: { versions: liveAt(versions, wallMs), context } };
}

async function acknowledged(
  shell: BatchShell,
  { dot, isRepeated }: Dotted,
  acksNeeded: number,
  timeoutMs: number,
): Promise<number> {
  const id = shell.nextId();
  const waiting = shell.request(id, { kind: 'await-acks', id, dot, isRepeated, acksNeeded });
  const reply = await shell.within(timeoutMs, id, waiting);
  if (reply.kind !== 'acks') throw new TypeError(`acknowledgements of a batch were answered as ${reply.kind}`);
  return reply.acks;
}
