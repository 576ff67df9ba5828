// How do many operations share one commit? All their steps run in a row, and what is at hand is committed together: each
// sees what those before it have done, nobody else's step comes between, and all are answered when the one commit is on
// disk. An operation that is refused has no effect, and the others have theirs.
//
// A read sees the keys as the operations before it left them. What all reads of a batch bring is bounded, for it is held
// until the answer is written.

import type { Container } from '../clock/container.js';
import { formatDot, type Dot } from '../clock/dot.js';
import { liveAt } from '../clock/lifetime.js';
import { CorruptRecordError } from '../store/record-codec.js';
import type { Input, RequestId, WriteInput } from './engine/input.js';
import type { ReadResult, Reply, WriteResult } from './engine/output.js';
import type { ReplyWaiter } from './reply-waiter.js';
import { bytesOf } from './container-bytes.js';

/** A batch's values are in memory while its answer is made. */
export const BATCH_READ_BYTES_MAX = 16 * 1024 * 1024;

export type BatchOperation =
  | ({ readonly kind: 'write' } & Pick<WriteInput, 'key' | 'operation' | 'context' | 'requestName'>)
  | { readonly kind: 'read'; readonly key: string };

export type BatchResult =
  | WriteResult
  | ReadResult
  /** A read that would bring more than a batch may. */
  | { readonly kind: 'read-too-much' }
  /** The key's record can't be read. */
  | { readonly kind: 'damaged'; readonly error: CorruptRecordError };

export interface BatchOutcome {
  /** In the order of the operations. */
  readonly results: readonly BatchResult[];
  /** Replicas that have committed all of it, this one included. */
  readonly acks: number;
}

export interface BatchShell {
  nextId(): RequestId;
  nowMs(): number;
  /**
   * Runs a step: its reply comes once the group that it is in is committed.
   * @throws CorruptRecordError when the step needs a record that can't be read; it has then changed nothing
   * @throws ReplicaStoppedError
   */
  ask(id: RequestId, input: Input, waiter: ReplyWaiter): void;
  request(id: RequestId, input: Input): Promise<Reply>;
  /** What the next step would see of a key. @throws CorruptRecordError */
  container(key: string): Container;
  /** The reply, with what it has when it has waited so long. */
  within(timeoutMs: number, id: RequestId, answered: Promise<Reply>): Promise<Reply>;
}

type Dotted = Extract<WriteResult, { kind: 'written' }> & { readonly dot: Dot };

/** All operations in one commit, acknowledged by `acksNeeded` replicas or as many as have within `timeoutMs`. */
export async function runBatch(
  shell: BatchShell,
  operations: readonly BatchOperation[],
  { acksNeeded, timeoutMs }: { readonly acksNeeded: number; readonly timeoutMs: number },
): Promise<BatchOutcome> {
  const results = await stepAll(shell, operations);
  const awaited = acksNeeded <= 1 ? [] : decisive(results.filter(isDotted));
  const each = awaited.map((result) => acknowledged(shell, result, acksNeeded, timeoutMs));
  return { results, acks: Math.min(...(each.length === 0 ? [1] : await Promise.all(each))) };
}

/** One promise for all of them: there may be ten thousand. */
function stepAll(shell: BatchShell, operations: readonly BatchOperation[]): Promise<readonly BatchResult[]> {
  const wallMs = shell.nowMs();
  const results = new Array<BatchResult>(operations.length);
  let [bytesLeft, unsettled] = [BATCH_READ_BYTES_MAX, operations.length];
  return new Promise((resolve, reject) => {
    const settle = (place: number, result: BatchResult): void => {
      results[place] = result;
      if (--unsettled === 0) resolve(results);
    };
    const begin = (operation: BatchOperation, place: number): void => {
      if (operation.kind === 'read' && (bytesLeft -= bytesOf(operation.key, shell.container(operation.key))) < 0) {
        return settle(place, { kind: 'read-too-much' });
      }
      const id = shell.nextId();
      const answered = (reply: Reply): void => {
        try {
          settle(place, resultOf(reply, wallMs));
        } catch (error) {
          reject(error);
        }
      };
      shell.ask(id, inputOf(operation, id, wallMs), { resolve: answered, reject });
    };
    if (operations.length === 0) resolve(results);
    for (const [place, operation] of operations.entries()) {
      try {
        begin(operation, place);
      } catch (error) {
        if (!(error instanceof CorruptRecordError)) throw error;
        settle(place, { kind: 'damaged', error });
      }
    }
  });
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
  if (kind === 'read') return { kind, id, key, answersNeeded: 1 };
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

function isDotted(result: BatchResult): result is Dotted {
  return result.kind === 'written' && result.dot !== undefined;
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
