// What does `POST /v1/batch` do? Up to ten thousand operations in one commit, and one status for each, in their order: those
// that can't be done say why, and the others are done all the same.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { formatDot } from '../../clock/dot.js';
import { ofType, typeOf } from '../../clock/key-type.js';
import { winner } from '../../clock/resolution.js';
import { siblingCount } from '../../clock/siblings.js';
import { EMPTY_VECTOR, join, type VersionVector } from '../../clock/version-vector.js';
import type { BatchOperation, BatchOutcome, BatchResult } from '../../replication/batches.js';
import type { ReplicaDriver } from '../../replication/replica-driver.js';
import { withBody, type BodyBudget } from '../http/body.js';
import { entityTag } from '../http/etag.js';
import { writeLines } from '../http/ndjson.js';
import { Problem, problemOfCode } from '../http/problem.js';
import { parseQuery } from '../http/query.js';
import { problemOf } from '../http/send-problem.js';
import { SessionGate, timeoutMsOf } from '../http/session-gate.js';
import type { Tokens } from '../http/tokens.js';
import { valueToJson } from '../http/value-json.js';
import { absence, refusalOf, type Written } from '../http/accepted.js';
import { KeyAnswers } from '../kv/key-answers.js';
import type { KvOptions } from '../kv/kv-options.js';
import { replicasNeeded } from '../kv/replicas-needed.js';
import { refuseUnsafeHeaders } from '../kv/write-headers.js';
import { BATCH_BYTES_MAX, framingOf, parseBody, type Framing } from './batch-body.js';
import { parseOperation } from './batch-operation.js';

/** Of single writes; in a batch each operation says for itself what it replaces. */
const HEADERS_OF_OPERATIONS = [
  'quartet-context',
  'if-match',
  'if-none-match',
  'if-unmodified-since',
  'idempotency-key',
];

interface Acks {
  readonly acksNeeded: number;
  readonly timeoutMs: number;
}

/** What its author wrote is no operation. */
interface Refused {
  readonly kind: 'refused';
  /** As far as it names one. */
  readonly key: string | undefined;
  readonly problem: Problem;
}

/** What was written is let go: of ten thousand, it would be in memory until the answer. */
type Parsed = BatchOperation | Refused;

export class BatchHandler {
  private readonly gate: SessionGate;
  private readonly answers: KeyAnswers;

  constructor(
    private readonly driver: ReplicaDriver,
    private readonly tokens: Tokens,
    private readonly budget: BodyBudget,
    private readonly options: KvOptions,
  ) {
    this.gate = new SessionGate(driver, tokens);
    this.answers = new KeyAnswers(tokens, driver);
  }

  async run(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const query = parseQuery(req.url!, ['w', 'timeout']);
    const acks = {
      acksNeeded: replicasNeeded(query, 'w', this.options.memberCount()),
      timeoutMs: timeoutMsOf(query),
    };
    const framing = framingOf(req.headers['content-type']);
    refuseUnsafeHeaders(req);
    refuseHeadersOfOperations(req);
    const limit = { bytesMax: BATCH_BYTES_MAX, tooLarge: 'BATCH_TOO_LARGE', budget: this.budget } as const;
    const { parsed, outcome } = await withBody(req, limit, async (body) => {
      const timeoutMs = (await this.gate.pass(req, acks.timeoutMs)) ?? acks.timeoutMs;
      const parsed = parseBody(body, framing, (json) => this.parse(json));
      return { parsed, outcome: await this.commit(parsed, { ...acks, timeoutMs }) };
    });
    // The body counts no more: a client takes its answer as slowly as it likes.
    await this.answer(res, framing, parsed, outcome, acks.acksNeeded);
  }

  private parse(json: unknown): Parsed {
    try {
      return parseOperation(json, { tokens: this.tokens, valueBytesMax: this.options.valueBytesMax });
    } catch (error) {
      if (error instanceof Problem) return { kind: 'refused', key: keyOf(json), problem: error };
      throw error;
    }
  }

  private async commit(parsed: readonly Parsed[], acks: Acks): Promise<BatchOutcome> {
    const operations = parsed.filter((each) => each.kind !== 'refused');
    if (operations.some(({ kind }) => kind === 'write')) this.options.checkWritable();
    return this.driver.batch(operations, acks);
  }

  private async answer(
    res: ServerResponse,
    framing: Framing,
    parsed: readonly Parsed[],
    { results, acks }: BatchOutcome,
    acksNeeded: number,
  ): Promise<void> {
    const isReached = acks >= acksNeeded || !results.some(({ kind }) => kind === 'written');
    const session = this.tokens.session(this.driver.seen({ context: results.reduce(seenBy, EMPTY_VECTOR) }));
    res.statusCode = isReached ? 200 : 202;
    res.setHeader('Cache-Control', 'no-store');
    res.setHeader('Quartet-Session', session);
    res.setHeader('Quartet-Acks', acks);
    const lines = this.lines(parsed, results, isReached);
    if (framing === 'ndjson') {
      res.setHeader('Content-Type', 'application/x-ndjson');
      return writeLines(res, lines);
    }
    const text = JSON.stringify({ results: [...lines], acks, session });
    res.setHeader('Content-Type', 'application/json');
    res.setHeader('Content-Length', Buffer.byteLength(text));
    res.end(text);
  }

  /** One for each operation, made when it is wanted. */
  private *lines(parsed: readonly Parsed[], results: readonly BatchResult[], isReached: boolean): Generator<object> {
    let place = 0;
    for (const each of parsed) {
      if (each.kind !== 'refused') yield this.done(each, results[place++]!, isReached);
      else if (each.key === undefined) yield refused(each.problem);
      else yield { key: each.key, ...refused(each.problem) };
    }
  }

  private done(operation: BatchOperation, result: BatchResult, isReached: boolean): object {
    const { key } = operation;
    switch (result.kind) {
      case 'damaged':
        return { key, ...refused(problemOf(result.error)) };
      case 'read-too-much':
        return {
          key,
          ...refused(new Problem('BATCH_TOO_LARGE', 'the reads before this one bring as much as a batch may')),
        };
      case 'not-reached':
        throw new TypeError('a read of a batch asks no other replica');
      case 'read':
        return { key, ...this.found(key, result) };
      case 'written':
        return this.written(operation, result, isReached);
      default:
        return { key, ...refused(refusalOf(result)) };
    }
  }

  private found(
    key: string,
    { container: { versions, context }, past }: Extract<BatchResult, { kind: 'read' }>,
  ): object {
    const best = winner(ofType(versions, 'register'), this.options.resolve);
    const token = this.answers.contextOf(key, { context, past });
    if (best === undefined) return { ...refused(absence(versions, typeOf(versions))), context: token };
    const { contentType, value } = best;
    return {
      status: 200,
      etag: entityTag(versions),
      siblings: siblingCount(versions),
      contentType,
      ...valueToJson(value),
      context: token,
    };
  }

  /** One object, one shape: most answers are of thousands of these. JSON leaves out what is undefined. */
  private written(operation: BatchOperation, written: Written, isReached: boolean): object {
    const { dot, existed, isRepeated } = written;
    const { versions } = written.container;
    const isDelete = operation.kind === 'write' && operation.operation.kind === 'delete';
    return {
      key: operation.key,
      status: !isReached ? 202 : isDelete ? 204 : existed ? 200 : 201,
      dot: dot && formatDot(dot),
      etag: versions.length === 0 ? undefined : entityTag(versions),
      siblings: siblingCount(versions),
      context: this.answers.contextAfter(operation.key, written),
      replayed: isRepeated || undefined,
    };
  }
}

/** What the results so far have shown. */
function seenBy(seen: VersionVector, result: BatchResult): VersionVector {
  return join(seen, 'container' in result ? result.container.context : EMPTY_VECTOR);
}

/** Its problem is what a request of its own would be answered. */
function refused(problem: Problem): object {
  const body = problemOfCode(problem);
  return { status: body.status, problem: body };
}

function keyOf(json: unknown): string | undefined {
  const key = (json as { readonly key?: unknown } | null)?.key;
  return typeof key === 'string' ? key : undefined;
}

function refuseHeadersOfOperations(req: IncomingMessage): void {
  const name = HEADERS_OF_OPERATIONS.find((header) => req.headers[header] !== undefined);
  if (name !== undefined)
    throw new Problem(
      'INVALID_HEADER',
      `${name}: in a batch each operation has a context and an idempotencyKey of its own`,
    );
}
