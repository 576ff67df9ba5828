// What do GET, HEAD, PUT and DELETE of one key do? This handler reads the request and writes the answer on objects that are
// Node's or like them, so that it can be reached through a router, past it, and past Node's parser. It translates and decides
// nothing: conditions are checked by the engine, in the step that writes.

import type { Version } from '../../clock/container.js';
import type { Container } from '../../clock/container.js';
import { ofType, typeOf } from '../../clock/key-type.js';
import { RESOLUTIONS, winner } from '../../clock/resolution.js';
import type { ReplicaDriver } from '../../replication/replica-driver.js';
import type { Shown } from '../../replication/requests.js';
import { accepted, refuseAbsent } from '../http/accepted.js';
import { Answer } from '../http/answer.js';
import { dropBody, withBody, type BodyBudget } from '../http/body.js';
import type { Request, Response } from '../http/exchange.js';
import { deleteDemands, putDemands, requestNameOf } from '../http/idempotency.js';
import { choiceParameter, optionalIntegerParameter, parseQuery } from '../http/query.js';
import { SessionGate, timeoutMsOf } from '../http/session-gate.js';
import { keyOfUrl } from '../http/target.js';
import type { Tokens } from '../http/tokens.js';
import { KeyAnswers } from './key-answers.js';
import type { KvOptions } from './kv-options.js';
import { Lookups } from './lookups.js';
import { readQuorum } from './quorum.js';
import { replicasNeeded } from './replicas-needed.js';
import { contentTypeOf, refuseDate, refuseUnsafeHeaders } from './write-headers.js';
import { WriteParser } from './write-parser.js';

export const KV_PREFIX = '/v1/kv/';

const READ_PARAMETERS = ['resolve', 'siblings', 'r', 'timeout'];
const PUT_PARAMETERS = ['w', 'timeout', 'ttl'];
const DELETE_PARAMETERS = ['w', 'timeout'];

/** Ten years: what shall live longer needs no end, and no deadline is ever too large a number. */
export const TTL_SECONDS_MAX = 315_360_000;

export class KvHandler {
  private readonly gate: SessionGate;
  private readonly answers: KeyAnswers;
  private readonly parser: WriteParser;
  private readonly lookups: Lookups;

  constructor(
    private readonly driver: ReplicaDriver,
    tokens: Tokens,
    private readonly budget: BodyBudget,
    private readonly options: KvOptions,
  ) {
    this.gate = new SessionGate(driver, tokens);
    this.answers = new KeyAnswers(tokens, driver);
    this.parser = new WriteParser(tokens, options);
    this.lookups = new Lookups(driver);
  }

  /** GET and HEAD. */
  async read(req: Request, response: Response): Promise<void> {
    const url = req.url!;
    const key = keyOfUrl(url, KV_PREFIX);
    const query = parseQuery(url, READ_PARAMETERS);
    const resolution = choiceParameter(query, 'resolve', RESOLUTIONS) ?? this.options.resolve;
    const wantsSiblings = choiceParameter(query, 'siblings', ['all']) !== undefined;
    const answersNeeded = replicasNeeded(query, 'r', this.options.memberCount());
    let timeoutMs = timeoutMsOf(query);
    refuseDate(req);
    const passing = this.gate.pass(req, timeoutMs);
    if (passing !== undefined) timeoutMs = await passing;

    const looking =
      answersNeeded === 1 ? this.lookups.of(key) : readQuorum(this.driver, { key, answersNeeded, timeoutMs });
    const container: Container & Shown = looking instanceof Promise ? await looking : looking;
    const live = container.versions;
    const res = new Answer(response);
    this.answers.writeTokens(res, key, container);
    const best = winner(ofType(live, 'register'), resolution) ?? (wantsSiblings ? live[0] : undefined);
    if (best === undefined) {
      res.release();
      return refuseAbsent(live, typeOf(live));
    }
    if (this.answers.isKnown(req, res, live, best.stamp)) res.end(304);
    else if (wantsSiblings) this.answers.writeSiblings(res, key, container, resolution);
    else writeValue(res, best);
  }

  async put(req: Request, res: Response): Promise<void> {
    const { request, query } = this.parser.parse(req, KV_PREFIX, PUT_PARAMETERS);
    const ttlSeconds = optionalIntegerParameter(query, 'ttl', 1, TTL_SECONDS_MAX);
    const ttlMs = ttlSeconds === undefined ? undefined : ttlSeconds * 1000;
    refuseUnsafeHeaders(req);
    const contentType = contentTypeOf(req);
    const limit = { bytesMax: this.options.valueBytesMax, tooLarge: 'VALUE_TOO_LARGE', budget: this.budget } as const;
    // The gate comes behind the body: a client whose body nobody takes meanwhile would be told that it was slow.
    const result = await withBody(req, limit, (value) => {
      const requestName = requestNameOf(req, request.key, putDemands(contentType, ttlMs, value));
      // Spread last: an object that goes on after a spread gets a hidden class of its own in Node 20, each time.
      return this.gate.write(req, { operation: { kind: 'put', contentType, value, ttlMs }, requestName, ...request });
    });
    this.answers.writeResult(req, new Answer(res), request, accepted(result));
  }

  async delete(req: Request, res: Response): Promise<void> {
    const { request } = this.parser.parse(req, KV_PREFIX, DELETE_PARAMETERS);
    const dropped = dropBody(req);
    if (dropped !== undefined) await dropped;
    const operation = { kind: 'delete', type: 'register' } as const;
    const requestName = requestNameOf(req, request.key, deleteDemands(operation.type));
    const result = await this.gate.write(req, { operation, requestName, ...request });
    this.answers.writeDeleted(req, new Answer(res), request, accepted(result));
  }
}

function writeValue(res: Answer, { contentType, value }: Version): void {
  res.setHeader('Content-Type', contentType);
  // The bytes are a stranger's: a browser must neither guess their type nor run them.
  res.setHeader('X-Content-Type-Options', 'nosniff');
  res.setHeader('Content-Security-Policy', 'sandbox');
  res.end(200, Buffer.from(value.buffer, value.byteOffset, value.length));
}
