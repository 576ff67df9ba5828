// How are the routes described? As plain OpenAPI operations beside their controllers, from these common pieces.

import { applyDecorators } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiParam, ApiQuery, type ApiOperationOptions } from '@nestjs/swagger';
import { PROBLEMS, type ProblemCode } from './problem.js';
import { objectOf, STRING, type JsonSchema } from './schema.js';

type Responses = NonNullable<ApiOperationOptions['responses']>;
type Response = Responses[string];
type Headers = Readonly<Record<string, object>>;
type Schema = {
  type: 'string' | 'integer' | 'boolean';
  enum?: string[];
  minimum?: number;
  maximum?: number;
  default?: unknown;
};

export interface Parameter {
  readonly in: 'path' | 'query' | 'header';
  readonly name: string;
  readonly description: string;
  readonly schema: Schema;
  readonly example?: string;
  /** Of a query parameter or a header: whether there must be one. */
  readonly isRequired?: boolean;
}

export interface Operation extends ApiOperationOptions {
  readonly parameters?: never;
  readonly takes: readonly Parameter[];
}

/** The decorator of a route. */
export function Describe({ takes, ...operation }: Operation): MethodDecorator {
  return applyDecorators(ApiOperation(operation), ...takes.map(describeParameter));
}

function describeParameter({
  in: place,
  name,
  description,
  schema: type,
  example,
  isRequired = false,
}: Parameter): MethodDecorator {
  // In the schema: Nest drops one that stands beside it.
  const schema = example === undefined ? type : { ...type, examples: [example] };
  const parameter = { name, description, schema };
  if (place === 'path') return ApiParam({ ...parameter, required: true });
  if (place === 'query') return ApiQuery({ ...parameter, required: isRequired });
  return ApiHeader({ ...parameter, required: isRequired });
}

export function queryParameter(name: string, description: string, schema: Schema): Parameter {
  return { in: 'query', name, description, schema };
}

export function headerParameter(name: string, description: string): Parameter {
  return { in: 'header', name, description, schema: { type: 'string' } };
}

export const idempotencyKey = headerParameter(
  'Idempotency-Key',
  'names this write of the key: sent again with the same name, it is not done twice',
);

export const keyParameter = keyNamed('greeting');

export function keyNamed(example: string): Parameter {
  return {
    in: 'path',
    name: 'key',
    description: 'UTF-8 of 1 to 1024 bytes, one percent-encoded segment: `a/b` is `a%2Fb`',
    schema: { type: 'string' },
    example,
  };
}

/** What a response header says, and its type. A route names those that its answers have. */
const RESPONSE_HEADERS = {
  'Cache-Control': ['`no-store`', 'string'],
  'Content-Encoding': ['`deflate`', 'string'],
  'Content-Security-Policy': ['`sandbox`: the bytes are a stranger’s', 'string'],
  ETag: ['names the set of live versions', 'string'],
  'Idempotency-Replayed': ['`true`: an earlier request with this `Idempotency-Key` has done it', 'string'],
  'Last-Modified': ['when what is shown was written', 'string'],
  'Preference-Applied': ['`return=minimal`', 'string'],
  'Quartet-Acks': ['how many replicas have committed the write, this one included', 'integer'],
  'Quartet-Context': ['for the next write of this key', 'string'],
  'Quartet-Cursor': ['where the change feed goes on from here, at any replica', 'string'],
  'Quartet-Session': ['for the next request, at any replica', 'string'],
  'Quartet-Siblings': ['how many values compete to be the key’s; above 1: a conflict', 'integer'],
  'Retry-After': ['seconds', 'integer'],
  'WWW-Authenticate': ['`Bearer`', 'string'],
  'X-Accel-Buffering': ['`no`: proxies pass events on at once', 'string'],
  'X-Content-Type-Options': ['`nosniff`', 'string'],
} as const satisfies Record<string, readonly [description: string, type: 'string' | 'integer']>;

export type ResponseHeader = keyof typeof RESPONSE_HEADERS;

/** Headers that a response always has, and those that it may have. */
export function headers(always: readonly ResponseHeader[], sometimes: readonly ResponseHeader[] = []): Headers {
  const describe = (name: ResponseHeader, required: boolean) => {
    const [description, type] = RESPONSE_HEADERS[name];
    return [name, { description, required, schema: { type } }] as const;
  };
  return Object.fromEntries([
    ...always.map((name) => describe(name, true)),
    ...sometimes.map((name) => describe(name, false)),
  ]);
}

/** What any request may get, whatever its route; at those for clients `INVALID_HEADER`, too. */
const EVERYWHERE = ['MALFORMED_REQUEST', 'REQUEST_TIMEOUT', 'HEADERS_TOO_LARGE', 'INTERNAL'] as const;

const PROBLEM_HEADERS: Partial<Record<ProblemCode, Headers>> = {
  UNAUTHENTICATED: headers(['WWW-Authenticate']),
  PRECONDITION_FAILED: headers(['Quartet-Siblings'], ['ETag']),
  TOO_MANY_SIBLINGS: headers(['Quartet-Siblings'], ['ETag']),
  WRONG_TYPE: headers(['Quartet-Siblings', 'ETag']),
  COLLECTION_TOO_LARGE: headers([], ['Quartet-Siblings', 'ETag']),
  OVERLOADED: headers(['Retry-After']),
  NOT_CAUGHT_UP: headers(['Retry-After']),
  QUORUM_NOT_REACHED: headers(['Retry-After']),
};

/** Responses that carry a problem body, by their codes; codes of one status share its entry. */
export function problems(...codes: ProblemCode[]): Responses {
  return problemsForPeers(...codes, 'INVALID_HEADER');
}

/** As `problems`, of a route for replicas. */
export function problemsForPeers(...codes: ProblemCode[]): Responses {
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of new Set([...codes, ...EVERYWHERE])) {
    byStatus.set(PROBLEMS[code].status, [...(byStatus.get(PROBLEMS[code].status) ?? []), code]);
  }
  return Object.fromEntries([...byStatus].map(([status, group]) => [status, problemResponse(group)]));
}

function problemResponse(codes: readonly ProblemCode[]) {
  const ofCodes = codes.flatMap((code) => Object.entries(PROBLEM_HEADERS[code] ?? {}));
  return {
    description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code].title}`).join('\n\n'),
    headers: {
      ...headers(['Cache-Control']),
      // Where one status has several codes, a header comes with some of them.
      ...Object.fromEntries(
        codes.length === 1 ? ofCodes : ofCodes.map(([name, each]) => [name, { ...each, required: false }]),
      ),
    },
    content: { 'application/problem+json': { schema: problemSchema(codes) } },
  };
}

function problemSchema(codes: readonly ProblemCode[]): JsonSchema {
  return objectOf({
    type: STRING,
    title: STRING,
    status: { type: 'integer', enum: [PROBLEMS[codes[0]!].status] },
    detail: STRING,
    code: { type: 'string', enum: [...codes] },
    outcome: {
      type: 'string',
      enum: [...new Set(codes.map((code) => PROBLEMS[code].outcome))],
      description: 'whether the write may have happened: `definite`, it has not; `unknown`, it may',
    },
  });
}

export function json(description: string, schema: JsonSchema, example: object, carried: Headers = {}): Response {
  return { description, headers: { ...carried }, content: { 'application/json': { schema, example } } };
}

/** One text of JSON a line, each of the schema `line`, which OpenAPI has no word for. */
export function ndjson(line: JsonSchema, example: readonly object[]) {
  const text = example.map((each) => JSON.stringify(each)).join('\n');
  return { 'application/x-ndjson': { schema: STRING, 'x-line': line, example: text } };
}

export function text(description: string, carried: Headers = {}): Response {
  return { description, headers: { ...carried }, content: { 'text/plain': { schema: STRING } } };
}

/** An answer without a body. */
export function bare(description: string, carried: Headers = {}): Response {
  return { description, headers: { ...carried } };
}
