// What is a client told of each operation of its batch? What that takes is kept from the operation's step until its line is
// written, and nothing else of the key: a client may take its answer slowly, and ten thousand keys may be large.

import type { Version } from '../../clock/container.js';
import { formatDot, type Dot } from '../../clock/dot.js';
import { ofType, typeOf } from '../../clock/key-type.js';
import { winner, type Resolution } from '../../clock/resolution.js';
import { siblingCount } from '../../clock/siblings.js';
import { EMPTY_VECTOR, type VersionVector } from '../../clock/version-vector.js';
import type { BatchOperation, BatchResult } from '../../replication/batches.js';
import type { Shown } from '../../replication/requests.js';
import { absence, refusalOf, type Written } from '../http/accepted.js';
import { entityTag } from '../http/etag.js';
import { Problem, problemOfCode } from '../http/problem.js';
import { problemOf } from '../http/send-problem.js';
import { valueToJson } from '../http/value-json.js';
import type { KeyAnswers, WriteShown } from '../kv/key-answers.js';

export type KeptResult = KeptRefusal | KeptWrite | KeptRead;

export interface KeptRefusal {
  readonly kind: 'refused';
  /** As far as the operation names one. */
  readonly key: string | undefined;
  readonly problem: Problem;
  /** Of a read that has found no value: it has shown that there is none. */
  readonly shown?: Shown;
}

interface KeptWrite {
  readonly kind: 'written';
  readonly key: string;
  readonly isDelete: boolean;
  readonly dot: Dot | undefined;
  readonly etag: string | undefined;
  readonly siblings: number;
  readonly existed: boolean;
  readonly isRepeated: boolean;
  readonly shown: WriteShown;
}

interface KeptRead {
  readonly kind: 'read';
  readonly key: string;
  readonly etag: string;
  readonly siblings: number;
  readonly best: Pick<Version, 'contentType' | 'value'>;
  readonly shown: Shown;
}

export function keepResult(operation: BatchOperation, result: BatchResult, resolution: Resolution): KeptResult {
  const { key } = operation;
  switch (result.kind) {
    case 'damaged':
      return { kind: 'refused', key, problem: problemOf(result.error) };
    case 'too-much': {
      const detail = 'the operations before this one find as much as those of a batch may: send the rest in another';
      return { kind: 'refused', key, problem: new Problem('BATCH_TOO_LARGE', detail) };
    }
    case 'not-reached':
      throw new TypeError('a read of a batch asks no other replica');
    case 'read':
      return keepRead(key, result, resolution);
    case 'written':
      return keepWrite(operation, result);
    default:
      return { kind: 'refused', key, problem: refusalOf(result) };
  }
}

function keepRead(
  key: string,
  { container: { versions, context }, past }: Extract<BatchResult, { kind: 'read' }>,
  resolution: Resolution,
): KeptResult {
  const best = winner(ofType(versions, 'register'), resolution);
  const shown = { context, past };
  if (best === undefined) return { kind: 'refused', key, problem: absence(versions, typeOf(versions)), shown };
  const { contentType, value } = best;
  return {
    kind: 'read',
    key,
    etag: entityTag(versions),
    siblings: siblingCount(versions),
    best: { contentType, value: onItsOwn(value) },
    shown,
  };
}

/** What has been decoded is a part of its record, and would keep all of that. */
function onItsOwn(value: Uint8Array): Uint8Array {
  return value.byteLength * 2 < value.buffer.byteLength ? Uint8Array.from(value) : value;
}

function keepWrite(operation: BatchOperation, written: Written): KeptWrite {
  const { dot, existed, isRepeated, seen, past } = written;
  const { versions, context } = written.container;
  return {
    kind: 'written',
    key: operation.key,
    isDelete: operation.kind === 'write' && operation.operation.kind === 'delete',
    dot,
    etag: versions.length === 0 ? undefined : entityTag(versions),
    siblings: siblingCount(versions),
    existed,
    isRepeated,
    shown: { seen, past, container: { context } },
  };
}

/** What of its key the result shows. */
export function contextOf(kept: KeptResult): VersionVector {
  if (kept.kind === 'written') return kept.shown.container.context;
  return kept.shown?.context ?? EMPTY_VECTOR;
}

/**
 * One object, one shape: most answers are of thousands of these. JSON leaves out what is undefined.
 * @param isReached whether as many replicas have all of the batch as were asked for
 */
export function resultJson(kept: KeptResult, isReached: boolean, answers: KeyAnswers): object {
  switch (kept.kind) {
    case 'refused':
      return refusedJson(kept, answers);
    case 'read':
      return readJson(kept, answers);
    case 'written':
      return {
        key: kept.key,
        status: !isReached ? 202 : kept.isDelete ? 204 : kept.existed ? 200 : 201,
        dot: kept.dot && formatDot(kept.dot),
        etag: kept.etag,
        siblings: kept.siblings,
        context: answers.contextAfter(kept.key, kept.shown),
        replayed: kept.isRepeated || undefined,
      };
  }
}

function readJson({ key, etag, siblings, best, shown }: KeptRead, answers: KeyAnswers): object {
  const { contentType, value } = best;
  return {
    key,
    status: 200,
    etag,
    siblings,
    contentType,
    ...valueToJson(value),
    context: answers.contextOf(key, shown),
  };
}

/** Its problem is what a request of its own would be answered. */
function refusedJson({ key, problem, shown }: KeptRefusal, answers: KeyAnswers): object {
  const body = problemOfCode(problem);
  const context = shown && answers.contextOf(key!, shown);
  return { key, status: body.status, problem: body, context };
}
