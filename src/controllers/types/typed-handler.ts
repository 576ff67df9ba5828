// What do the methods of counters, sets and maps do? The same for all three: they differ in what a body says and in how the
// value looks. As with plain values, the engine decides; here it is translated.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Container, Version } from '../../clock/container.js';
import { ofType, typeOf } from '../../clock/key-type.js';
import { RESOLUTIONS } from '../../clock/resolution.js';
import type { Operation } from '../../replication/engine/operation.js';
import type { ReplicaDriver } from '../../replication/replica-driver.js';
import type { Shown } from '../../replication/requests.js';
import { accepted, refuseAbsent, type Written } from '../http/accepted.js';
import { Answer } from '../http/answer.js';
import { dropBody, withBody, type BodyBudget } from '../http/body.js';
import { deleteDemands, requestNameOf } from '../http/idempotency.js';
import { Problem } from '../http/problem.js';
import { choiceParameter, parseQuery } from '../http/query.js';
import { SessionGate, timeoutMsOf } from '../http/session-gate.js';
import { keyOfUrl } from '../http/target.js';
import type { Tokens } from '../http/tokens.js';
import { valueText, type CollectionType } from '../http/typed-value.js';
import { KeyAnswers, writeJsonText } from '../kv/key-answers.js';
import type { KvOptions } from '../kv/kv-options.js';
import { readQuorum } from '../kv/quorum.js';
import { replicasNeeded } from '../kv/replicas-needed.js';
import { refuseDate, refuseUnsafeHeaders } from '../kv/write-headers.js';
import { WriteParser } from '../kv/write-parser.js';
import { parseAddition, parseMapUpdate, parseSetUpdate, requireJson } from './json-body.js';

interface Kind {
  readonly prefix: string;
  readonly parse: (body: Buffer, valueBytesMax: number) => Operation;
}

const KINDS: Readonly<Record<CollectionType, Kind>> = {
  counter: { prefix: '/v1/counters/', parse: parseAddition },
  set: { prefix: '/v1/sets/', parse: parseSetUpdate },
  map: { prefix: '/v1/maps/', parse: parseMapUpdate },
};

const WRITE_PARAMETERS = ['w', 'timeout'];

export class TypedHandler {
  private readonly gate: SessionGate;
  private readonly answers: KeyAnswers;
  private readonly parser: WriteParser;

  constructor(
    private readonly driver: ReplicaDriver,
    tokens: Tokens,
    private readonly budget: BodyBudget,
    private readonly options: KvOptions,
  ) {
    this.gate = new SessionGate(driver, tokens);
    this.answers = new KeyAnswers(tokens, driver);
    this.parser = new WriteParser(tokens, options);
  }

  /** GET and HEAD. */
  async read(type: CollectionType, req: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = req.url!;
    const key = keyOfUrl(url, KINDS[type].prefix);
    const query = parseQuery(url, ['resolve', 'siblings', 'r', 'timeout']);
    const resolution = choiceParameter(query, 'resolve', RESOLUTIONS) ?? this.options.resolve;
    const wantsSiblings = choiceParameter(query, 'siblings', ['all']) !== undefined;
    const answersNeeded = replicasNeeded(query, 'r', this.options.memberCount());
    const limitMs = timeoutMsOf(query);
    refuseDate(req);
    const timeoutMs = (await this.gate.pass(req, limitMs)) ?? limitMs;

    const container: Container & Shown =
      answersNeeded === 1 ? this.driver.read(key) : await readQuorum(this.driver, { key, answersNeeded, timeoutMs });
    const live = container.versions;
    const res = new Answer(response);
    this.answers.writeTokens(res, key, container);
    const versions = ofType(live, type);
    if (versions.length === 0 && !(wantsSiblings && live.length > 0)) {
      res.release();
      return refuseAbsent(live, typeOf(live));
    }
    if (this.answers.isKnown(req, res, live, latest(live))) res.end(304);
    else if (wantsSiblings) this.answers.writeSiblings(res, key, container, resolution);
    else writeJsonText(res, 200, valueText(type, versions, resolution));
  }

  /** POST of a counter or a set, PATCH of a map. */
  async update(type: CollectionType, req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { prefix, parse } = KINDS[type];
    if (req.headers['quartet-context'] !== undefined) {
      const instead = 'it acts on what this replica has; with Quartet-Session that is no less than you have seen';
      throw new Problem('INVALID_HEADER', `Quartet-Context: an operation on a ${type} takes none: ${instead}`);
    }
    const { request } = this.parser.parse(req, prefix, WRITE_PARAMETERS);
    refuseUnsafeHeaders(req);
    requireJson(req);
    const limit = { bytesMax: this.options.valueBytesMax, tooLarge: 'VALUE_TOO_LARGE', budget: this.budget } as const;
    const result = await withBody(req, limit, (body) => {
      const requestName = requestNameOf(req, request.key, [req.method!, type, body]);
      return this.gate.write(req, { operation: parse(body, limit.bytesMax), requestName, ...request });
    });
    const written = accepted(result);
    this.answers.writeResult(req, new Answer(res), request, written, type === 'counter' ? shownSum(written) : {});
  }

  async delete(type: CollectionType, req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { request } = this.parser.parse(req, KINDS[type].prefix, WRITE_PARAMETERS);
    await dropBody(req);
    const operation = { kind: 'delete', type } as const;
    const requestName = requestNameOf(req, request.key, deleteDemands(type));
    const result = await this.gate.write(req, { operation, requestName, ...request });
    this.answers.writeDeleted(req, new Answer(res), request, accepted(result));
  }
}

/** What the counter has right after the addition, at this replica. */
function shownSum({ container }: Written): object {
  return { value: JSON.parse(valueText('counter', container.versions, 'order')) as unknown };
}

function latest(versions: readonly Version[]): number {
  let stamp = 0;
  for (const version of versions) stamp = Math.max(stamp, version.stamp);
  return stamp;
}
