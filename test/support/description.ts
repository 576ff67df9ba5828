// Is what a server answers what its OpenAPI document says? Each answer is held against the document: route, status, headers,
// type and body. And the document keeps account of what it describes that no answer has shown.

import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

export interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationObject>>>>;
}

export interface OperationObject {
  readonly parameters?: readonly ParameterObject[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, ResponseObject>>;
}

export interface ParameterObject {
  readonly in: string;
  readonly name: string;
  readonly required?: boolean;
  readonly schema: { readonly examples?: readonly unknown[] };
}

interface ResponseObject {
  readonly headers?: Readonly<Record<string, HeaderObject>>;
  readonly content?: Content;
}

interface HeaderObject {
  readonly required?: boolean;
  readonly schema: { readonly type: string };
}

type Content = Readonly<Record<string, MediaType>>;

interface MediaType {
  readonly schema: object & {
    readonly properties?: Readonly<Record<string, { readonly enum?: readonly unknown[] }>>;
  };
  /** Of each line, where the body is one JSON text a line. */
  readonly 'x-line'?: object;
  readonly example?: unknown;
}

/** One route and method of the document. */
export interface Described {
  /** `put /v1/kv/{key}` */
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly operation: OperationObject;
}

export interface Answer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** What every HTTP answer may have: how the message is sent, not what it says. `Content-Type` is held against `content`. */
const OF_THE_TRANSPORT = [
  'connection',
  'content-length',
  'content-type',
  'date',
  'keep-alive',
  'transfer-encoding',
] as const;

export class Description {
  readonly operations: readonly Described[];
  private readonly seen = new Set<string>();
  private readonly ajv = new Ajv2020({ strict: true, allowUnionTypes: true, formats: { binary: true } });
  private readonly compiled = new Map<object, ValidateFunction>();

  constructor(document: Document) {
    this.operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, method, path, operation })),
    );
  }

  /** What the answer has that the operation does not describe, and what it lacks; empty when they agree. */
  check({ name, method, operation }: Described, answer: Answer): readonly string[] {
    const place = `${name} ${answer.status}`;
    const response = operation.responses[answer.status];
    if (response === undefined) return [`${place}: the document has no such status; the body: ${answer.body}`];
    this.seen.add(place);
    const faults = [...this.checkHeaders(place, response, answer)];
    if (method !== 'head') faults.push(...this.checkBody(place, response.content ?? {}, answer));
    return faults;
  }

  /** Examples of bodies and parameters that are not what their own schemas say. */
  wrongExamples(): readonly string[] {
    return this.operations.flatMap(({ name, operation }) => {
      const bodies = [
        operation.requestBody?.content,
        ...Object.values(operation.responses).map((each) => each.content),
      ];
      const media = bodies.flatMap((content) => Object.values(content ?? {}));
      return [
        ...media.flatMap((each) => (each.example === undefined ? [] : this.faults(name, each.schema, each.example))),
        ...media.flatMap((each) => this.lineFaults(name, each, String(each.example ?? ''))),
        ...(operation.parameters ?? []).flatMap(({ schema }) =>
          (schema.examples ?? []).flatMap((example) => this.faults(name, schema, example)),
        ),
      ];
    });
  }

  /** Everything described that no answer so far has had. */
  unseen(): readonly string[] {
    return this.operations.flatMap(({ name, operation }) =>
      Object.entries(operation.responses).flatMap(([status, response]) => {
        const place = `${name} ${status}`;
        // The rest of a status that was never seen goes without saying.
        if (!this.seen.has(place)) return [place];
        return partsOf(place, response).filter((part) => !this.seen.has(part));
      }),
    );
  }

  private *checkHeaders(place: string, { headers = {} }: ResponseObject, answer: Answer): Generator<string> {
    const described = new Map(Object.entries(headers).map(([name, header]) => [name.toLowerCase(), { name, header }]));
    for (const [served, value] of answer.headers) {
      if ((OF_THE_TRANSPORT as readonly string[]).includes(served)) continue;
      const known = described.get(served);
      if (known === undefined) {
        yield `${place}: the document does not describe the header ${served}: ${value}`;
        continue;
      }
      this.seen.add(`${place} header ${known.name}`);
      if (known.header.schema.type === 'integer' && !/^\d+$/.test(value)) yield `${place}: ${served} is ${value}`;
    }
    for (const [served, { name, header }] of described) {
      if (header.required === true && !answer.headers.has(served)) yield `${place}: ${name} is missing`;
    }
  }

  private *checkBody(place: string, content: Content, { headers, body }: Answer): Generator<string> {
    if (Object.keys(content).length === 0) {
      if (body !== '') yield `${place}: the document says that there is no body, but there is: ${body}`;
      return;
    }
    // RFC 7240: the client has left the body out.
    if (body === '' && headers.get('preference-applied') === 'return=minimal') return;
    const served = headers.get('content-type')?.replace(/\s*;.*/, '') ?? 'none';
    const type = served in content ? served : '*/*';
    const media = content[type];
    if (media === undefined) {
      yield `${place}: the document has no body of type ${served}: ${body}`;
      return;
    }
    this.seen.add(`${place} type ${type}`);
    if (!/\bjson$/.test(type)) return;
    if (media['x-line'] !== undefined) return yield* this.lineFaults(place, media, body);
    const value = JSON.parse(body) as { code?: unknown };
    if (type === 'application/problem+json') this.seen.add(`${place} code ${String(value.code)}`);
    yield* this.faults(place, media.schema, value);
  }

  private lineFaults(place: string, { 'x-line': line }: MediaType, body: string): readonly string[] {
    if (line === undefined) return [];
    const texts = body.split('\n').filter((text) => text !== '');
    return texts.flatMap((text) => this.faults(place, line, JSON.parse(text)));
  }

  private faults(place: string, schema: object, value: unknown): readonly string[] {
    let validate = this.compiled.get(schema);
    if (validate === undefined) this.compiled.set(schema, (validate = this.ajv.compile(schema)));
    if (validate(value)) return [];
    return [`${place}: ${this.ajv.errorsText(validate.errors)}: ${JSON.stringify(value)}`];
  }
}

/** Its headers, types of bodies and problem codes. */
function partsOf(place: string, { headers = {}, content = {} }: ResponseObject): readonly string[] {
  const codes = content['application/problem+json']?.schema.properties?.['code']?.enum ?? [];
  return [
    ...Object.keys(headers).map((header) => `${place} header ${header}`),
    ...Object.keys(content).map((type) => `${place} type ${type}`),
    ...codes.map((code) => `${place} code ${String(code)}`),
  ];
}
