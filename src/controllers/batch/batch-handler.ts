// What does `POST /v1/batch` do? Up to ten thousand operations in one commit, and one status for each, in their order: those
// that can't be done say why, and the others are done all the same.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { EMPTY_VECTOR, join, type VersionVector } from '../../clock/version-vector.js';
import type { BatchOperation, BatchOutcome, BatchResult } from '../../replication/batches.js';
import type { ReplicaDriver } from '../../replication/replica-driver.js';
import { withBody, type BodyBudget } from '../http/body.js';
import { writeJsonPieces } from '../http/json-pieces.js';
import { writeLines } from '../http/ndjson.js';
import { Problem } from '../http/problem.js';
import { parseQuery } from '../http/query.js';
import { SessionGate, timeoutMsOf } from '../http/session-gate.js';
import type { Tokens } from '../http/tokens.js';
import { holdingWhile } from '../http/unsent.js';
import { KeyAnswers } from '../kv/key-answers.js';
import type { KvOptions } from '../kv/kv-options.js';
import { replicasNeeded } from '../kv/replicas-needed.js';
import { refuseUnsafeHeaders } from '../kv/write-headers.js';
import { BATCH_BYTES_MAX, framingOf, parseBody, type Framing } from './batch-body.js';
import { parseOperation } from './batch-operation.js';
import { contextOf, keepResult, resultJson, type KeptRefusal, type KeptResult } from './batch-results.js';

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

/** What its author wrote may be no operation. */
type Parsed = BatchOperation | KeptRefusal;

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
    const outcome = await withBody(req, limit, async (body) => {
      const timeoutMs = (await this.gate.pass(req, acks.timeoutMs)) ?? acks.timeoutMs;
      const parsed = parseBody(body, framing, (json) => this.parse(json));
      return this.commit(parsed, { ...acks, timeoutMs });
    });
    // The body counts no more, and what it wrote is let go: a client takes its answer as slowly as there is room for it.
    await holdingWhile(res, bytesRead(outcome.results), () => this.answer(res, framing, outcome, acks.acksNeeded));
  }

  private parse(json: unknown): Parsed {
    try {
      return parseOperation(json, { tokens: this.tokens, valueBytesMax: this.options.valueBytesMax });
    } catch (error) {
      if (error instanceof Problem) return { kind: 'refused', key: keyOf(json), problem: error };
      throw error;
    }
  }

  private async commit(parsed: readonly Parsed[], acks: Acks): Promise<BatchOutcome<KeptResult>> {
    const operations = parsed.filter((each) => each.kind !== 'refused');
    if (operations.some(({ kind }) => kind === 'write')) this.options.checkWritable();
    const { resolve } = this.options;
    let waitingBytes = 0;
    const keep = (operation: BatchOperation, result: BatchResult): KeptResult => {
      const kept = keepResult(operation, result, resolve);
      if (kept.kind !== 'read' || acks.acksNeeded <= 1) return kept;
      // It waits for other replicas with its batch, as what the body wrote does.
      const { key, best } = kept;
      const problem = this.budget.refusalOf(best.value.length);
      if (problem !== undefined) return { kind: 'refused', key, problem };
      waitingBytes += best.value.length;
      return kept;
    };
    try {
      const done = await this.driver.batch(operations, acks, keep);
      let place = 0;
      return {
        results: parsed.map((each) => (each.kind === 'refused' ? each : done.results[place++]!)),
        acks: done.acks,
      };
    } finally {
      this.budget.release(waitingBytes);
    }
  }

  private async answer(
    res: ServerResponse,
    framing: Framing,
    { results, acks }: BatchOutcome<KeptResult>,
    acksNeeded: number,
  ): Promise<void> {
    const isReached = acks >= acksNeeded || !results.some(({ kind }) => kind === 'written');
    const session = this.tokens.session(this.driver.seen({ context: results.reduce(seenBy, EMPTY_VECTOR) }));
    res.statusCode = isReached ? 200 : 202;
    res.setHeader('Cache-Control', 'no-store');
    res.setHeader('Quartet-Session', session);
    res.setHeader('Quartet-Acks', acks);
    if (framing === 'ndjson') {
      res.setHeader('Content-Type', 'application/x-ndjson');
      return writeLines(res, this.lines(results, isReached));
    }
    res.setHeader('Content-Type', 'application/json');
    return writeJsonPieces(res, this.pieces(results, isReached, { acks, session }));
  }

  /** One for each operation, made when it is wanted. */
  private *lines(results: readonly KeptResult[], isReached: boolean): Generator<object> {
    for (const result of results) yield resultJson(result, isReached, this.answers);
  }

  /** Of one text. */
  private *pieces(results: readonly KeptResult[], isReached: boolean, rest: object): Generator<string> {
    let before = '{"results":[';
    for (const line of this.lines(results, isReached)) {
      yield before + JSON.stringify(line);
      before = ',';
    }
    yield `${before === ',' ? '' : before}],${JSON.stringify(rest).slice(1)}`;
  }
}

/** What the results so far have shown. */
function seenBy(seen: VersionVector, result: KeptResult): VersionVector {
  return join(seen, contextOf(result));
}

/** They are kept until their lines are written. */
function bytesRead(results: readonly KeptResult[]): number {
  return results.reduce((bytes, kept) => bytes + (kept.kind === 'read' ? kept.best.value.length : 0), 0);
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
