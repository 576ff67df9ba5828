// How is a route asked that is known only by its description? With the examples that stand there, and with each thing that
// its description says it takes, made wrong.

import type { Described, OperationObject } from './description.js';
import type { RequestOptions } from './in-process-node.js';

export interface Sample {
  readonly url: string;
  readonly options: RequestOptions;
}

/** Tokens that a replica can't take: of a cluster that knows more, and of another key. */
export interface WrongTokens {
  readonly session: string;
  readonly context: string;
}

const LONG_KEY = 'k'.repeat(1025);

/** The request that the examples of an operation make. */
export function sampleOf({ path, operation }: Pick<Described, 'path' | 'operation'>): Sample {
  const parameters = operation.parameters ?? [];
  let url = path;
  for (const { in: place, name, required, schema } of parameters) {
    if (required !== true) continue;
    const [example] = schema.examples ?? [];
    if (typeof example !== 'string') throw new Error(`${path}: the parameter ${name} needs an example`);
    const text = encodeURIComponent(example);
    url = place === 'path' ? url.replace(`{${name}}`, text) : withQuery(url, `${name}=${text}`);
  }
  return { url, options: bodyOf(operation) };
}

function bodyOf({ requestBody }: OperationObject): RequestOptions {
  const [type, media] = Object.entries(requestBody?.content ?? {})[0] ?? [];
  if (media?.example === undefined) return {};
  const body = typeof media.example === 'string' ? media.example : JSON.stringify(media.example);
  return { body, headers: { 'Content-Type': type === '*/*' ? 'text/plain' : type! } };
}

export function withQuery(url: string, query: string): string {
  return `${url}${url.includes('?') ? '&' : '?'}${query}`;
}

/** The sample with one thing wrong, for each thing that the operation takes. */
export function* wrongRequests(described: Described, tokens: WrongTokens): Generator<Sample> {
  const { path, operation } = described;
  const { url, options } = sampleOf(described);
  const takes = (name: string): boolean => operation.parameters?.some((each) => each.name === name) ?? false;
  const withHeader = (name: string, value: string, query = ''): Sample => ({
    url: query === '' ? url : withQuery(url, query),
    options: { ...options, headers: { ...options.headers, [name]: value } },
  });

  yield { url: withQuery(url, 'nonsense=1'), options };
  yield withHeader('Quartet-Nonsense', 'any');
  if (path.includes('{key}')) {
    yield { url: path.replace('{key}', '%zz'), options };
    yield { url: path.replace('{key}', LONG_KEY), options };
  }
  if (takes('Quartet-Session')) {
    yield withHeader('Quartet-Session', 'nonsense');
    yield withHeader('Quartet-Session', tokens.session, 'timeout=0');
  }
  if (takes('Quartet-Context')) {
    yield withHeader('Quartet-Context', 'nonsense');
    yield withHeader('Quartet-Context', tokens.context);
  }
  if (takes('If-Match')) {
    yield withHeader('If-Match', '"of nothing"');
    yield withHeader('If-Unmodified-Since', new Date(0).toUTCString());
  }
  if (takes('Idempotency-Key')) yield withHeader('Idempotency-Key', 'two words');
  if (operation.requestBody !== undefined) yield withHeader('Content-Encoding', 'gzip');
}
