// What do GET, HEAD, PUT and DELETE of one key do? This handler reads the request and writes the answer on Node's own
// objects, so that it can be reached through a router or past it. It translates and decides nothing: conditions are
// checked by the engine, in the step that writes.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Container, Version } from '../../clock/container.js';
import { formatDot } from '../../clock/dot.js';
import { stampToMs } from '../../clock/hybrid-clock.js';
import { ranked, RESOLUTIONS, winner } from '../../clock/resolution.js';
import type { VersionVector } from '../../clock/version-vector.js';
import type { WriteResult } from '../../replication/engine/output.js';
import type { ReplicaDriver } from '../../replication/replica-driver.js';
import { withBody, type BodyBudget } from '../http/body.js';
import { entityTag, matchesTag } from '../http/etag.js';
import { requestNameOf, tellRepeated } from '../http/idempotency.js';
import { Problem } from '../http/problem.js';
import { choiceParameter, parseQuery } from '../http/query.js';
import { SessionGate, timeoutMsOf } from '../http/session-gate.js';
import { keyOfUrl } from '../http/target.js';
import type { Tokens } from '../http/tokens.js';
import { valueToJson } from '../http/value-json.js';
import type { KvOptions } from './kv-options.js';
import { readQuorum } from './quorum.js';
import { replicasNeeded } from './replicas-needed.js';
import { contentTypeOf, isMinimal, preconditionOf, refuseUnsafeHeaders } from './write-headers.js';

export const KV_PREFIX = '/v1/kv/';

type Written = Extract<WriteResult, { kind: 'written' }>;

export class KvHandler {
  private readonly gate: SessionGate;

  constructor(
    private readonly driver: ReplicaDriver,
    private readonly tokens: Tokens,
    private readonly budget: BodyBudget,
    private readonly options: KvOptions,
  ) {
    this.gate = new SessionGate(driver, tokens);
  }

  /** GET and HEAD. */
  async read(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const url = req.url!;
    const key = keyOfUrl(url, KV_PREFIX);
    const query = parseQuery(url, ['resolve', 'siblings', 'r', 'timeout']);
    const resolution = choiceParameter(query, 'resolve', RESOLUTIONS) ?? this.options.resolve;
    const wantsSiblings = choiceParameter(query, 'siblings', ['all']) !== undefined;
    const answersNeeded = replicasNeeded(query, 'r', this.options.memberCount());
    const timeoutMs = timeoutMsOf(query);
    const waiting = this.gate.pass(req, timeoutMs);
    if (waiting !== undefined) await waiting;

    const { versions, context } =
      answersNeeded === 1 ? this.driver.read(key) : await readQuorum(this.driver, { key, answersNeeded, timeoutMs });
    this.writeTokens(res, key, context);
    const best = winner(versions, resolution);
    if (best === undefined) throw new Problem('KEY_NOT_FOUND', 'the key was never written, or was deleted');
    const tag = entityTag(versions);
    res.setHeader('ETag', tag);
    res.setHeader('Quartet-Siblings', versions.length);
    res.setHeader('Last-Modified', new Date(stampToMs(best.stamp)).toUTCString());
    const known = req.headers['if-none-match'];
    if (known !== undefined && matchesTag(known, versions, true)) end(res, 304);
    else if (wantsSiblings) this.writeSiblings(res, key, ranked(versions, resolution), context);
    else writeValue(res, best);
  }

  async put(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const request = this.parseWrite(req);
    refuseUnsafeHeaders(req);
    const contentType = contentTypeOf(req);
    // Before the body: who waits at the gate holds no memory meanwhile.
    const waiting = this.gate.pass(req, request.timeoutMs);
    if (waiting !== undefined) await waiting;
    const limit = { bytesMax: this.options.valueBytesMax, tooLarge: 'VALUE_TOO_LARGE', budget: this.budget } as const;
    const result = await withBody(req, limit, (value) => {
      const requestName = requestNameOf(req, request.key, ['PUT', contentType, value]);
      const operation = { kind: 'put', contentType, value, ttlMs: undefined } as const;
      return this.driver.write({ ...request, operation, requestName });
    });
    const written = accepted(result);
    const status = written.acks < request.acksNeeded ? 202 : written.existed ? 200 : 201;
    this.writeResult(req, res, request.key, written, status);
  }

  async delete(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const request = this.parseWrite(req);
    const waiting = this.gate.pass(req, request.timeoutMs);
    if (waiting !== undefined) await waiting;
    const requestName = requestNameOf(req, request.key, ['DELETE']);
    const operation = { kind: 'delete', type: 'register' } as const;
    const written = accepted(await this.driver.write({ ...request, operation, requestName }));
    if (written.acks < request.acksNeeded) return this.writeResult(req, res, request.key, written, 202);
    this.writeTokens(res, request.key, written.container.context);
    tellRepeated(res, written.isRepeated);
    res.setHeader('Quartet-Siblings', written.container.versions.length);
    end(res, 204);
  }

  private parseWrite(req: IncomingMessage) {
    this.options.checkWritable();
    const url = req.url!;
    const key = keyOfUrl(url, KV_PREFIX);
    const query = parseQuery(url, ['w', 'timeout']);
    const token = header(req, 'quartet-context');
    return {
      key,
      acksNeeded: replicasNeeded(query, 'w', this.options.memberCount()),
      timeoutMs: timeoutMsOf(query),
      context: token === undefined ? undefined : this.tokens.parseContext(key, token),
      precondition: preconditionOf(req),
    };
  }

  /**
   * Both tokens cover everything that the answer may depend on: the context of the filled container, which is the
   * replica's clock and, for a key ahead of it, more. What the session had seen before is in it: the gate saw to that.
   */
  private writeTokens(res: ServerResponse, key: string, context: VersionVector): void {
    res.setHeader('Quartet-Context', this.tokens.context(key, context));
    res.setHeader('Quartet-Session', this.tokens.session(context));
    res.setHeader('Cache-Control', 'no-store');
  }

  private writeSiblings(res: ServerResponse, key: string, versions: readonly Version[], context: VersionVector): void {
    writeJson(res, versions.length > 1 ? 300 : 200, {
      key,
      type: 'register',
      context: this.tokens.context(key, context),
      session: this.tokens.session(context),
      siblings: versions.map((version) => ({
        dot: formatDot(version),
        time: new Date(stampToMs(version.stamp)).toISOString(),
        contentType: version.contentType,
        ...valueToJson(version.value),
      })),
    });
  }

  private writeResult(
    req: IncomingMessage,
    res: ServerResponse,
    key: string,
    { dot, container, acks, isRepeated }: Written,
    status: number,
  ): void {
    const { versions, context } = container;
    this.writeTokens(res, key, context);
    if (versions.length > 0) res.setHeader('ETag', entityTag(versions));
    tellRepeated(res, isRepeated);
    res.setHeader('Quartet-Siblings', versions.length);
    res.setHeader('Quartet-Acks', acks);
    if (isMinimal(req)) {
      res.setHeader('Preference-Applied', 'return=minimal');
      return end(res, status === 202 ? 202 : 204);
    }
    writeJson(res, status, {
      key,
      dot: dot === undefined ? null : formatDot(dot),
      context: res.getHeader('Quartet-Context'),
      session: res.getHeader('Quartet-Session'),
      siblings: versions.length,
      acks,
    });
  }
}

/** @throws Problem when the engine refused the write */
function accepted(result: WriteResult): Written {
  if (result.kind === 'written') return result;
  if (result.kind === 'wrong-type' || result.kind === 'too-large') {
    throw new TypeError(`a register was refused as ${result.kind}`);
  }
  if (result.kind === 'request-reused') {
    throw new Problem('IDEMPOTENCY_KEY_REUSED', 'it named a write of this key with another body, type or method');
  }
  const live: Container['versions'] = result.live;
  const headers: Record<string, string> = { 'Quartet-Siblings': String(live.length) };
  if (live.length > 0) headers['ETag'] = entityTag(live);
  if (result.kind === 'too-many-siblings') {
    throw new Problem(
      'TOO_MANY_SIBLINGS',
      `${live.length} siblings live: read them all, and write with that context`,
      headers,
    );
  }
  const state = live.length > 0 ? `it has ${headers['ETag']}` : 'it has no value';
  throw new Problem('PRECONDITION_FAILED', `the key is in another state at this replica: ${state}`, headers);
}

function header(req: IncomingMessage, name: string): string | undefined {
  const value = req.headers[name];
  return typeof value === 'string' ? value : undefined;
}

function writeValue(res: ServerResponse, { contentType, value }: Version): void {
  res.setHeader('Content-Type', contentType);
  res.setHeader('Content-Length', value.length);
  // The bytes are a stranger's: a browser must neither guess their type nor run them.
  res.setHeader('X-Content-Type-Options', 'nosniff');
  res.setHeader('Content-Security-Policy', 'sandbox');
  res.end(value);
}

function writeJson(res: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  res.statusCode = status;
  res.setHeader('Content-Type', 'application/json');
  res.setHeader('Content-Length', Buffer.byteLength(text));
  res.end(text);
}

function end(res: ServerResponse, status: number): void {
  res.statusCode = status;
  res.end();
}
