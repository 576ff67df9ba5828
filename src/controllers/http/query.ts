// What does the query string say? Strictly: a parameter that is unknown, repeated or malformed is an error, because a
// misspelt option would otherwise be taken for its default without a word.

import { Problem } from './problem.js';

export type Query = ReadonlyMap<string, string>;

const NONE: Query = new Map();

/** @throws Problem INVALID_QUERY */
export function parseQuery(url: string, allowed: readonly string[]): Query {
  const start = url.indexOf('?');
  if (start < 0 || start === url.length - 1) return NONE;
  const query = new Map<string, string>();
  for (const pair of url.slice(start + 1).split('&')) {
    const equals = pair.indexOf('=');
    const name = decodePart(equals < 0 ? pair : pair.slice(0, equals));
    if (!allowed.includes(name)) {
      throw new Problem(
        'INVALID_QUERY',
        `"${name}" is not a parameter here; there are: ${allowed.join(', ') || 'none'}`,
      );
    }
    if (query.has(name)) throw new Problem('INVALID_QUERY', `"${name}" stands twice`);
    query.set(name, equals < 0 ? '' : decodePart(pair.slice(equals + 1)));
  }
  return query;
}

/** @throws Problem INVALID_QUERY */
export function integerParameter(query: Query, name: string, fallback: number, min: number, max: number): number {
  return optionalIntegerParameter(query, name, min, max) ?? fallback;
}

/** @throws Problem INVALID_QUERY */
export function optionalIntegerParameter(query: Query, name: string, min: number, max: number): number | undefined {
  const text = query.get(name);
  if (text === undefined) return undefined;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
  if (value >= min && value <= max) return value;
  throw new Problem('INVALID_QUERY', `${name}=${text} is not an integer from ${min} to ${max}`);
}

/** @throws Problem INVALID_QUERY */
export function choiceParameter<T extends string>(query: Query, name: string, choices: readonly T[]): T | undefined {
  const text = query.get(name);
  if (text === undefined) return undefined;
  const choice = choices.find((candidate) => candidate === text);
  if (choice !== undefined) return choice;
  throw new Problem('INVALID_QUERY', `${name}=${text} is not one of: ${choices.join(', ')}`);
}

function decodePart(part: string): string {
  try {
    return decodeURIComponent(part.replaceAll('+', ' '));
  } catch {
    throw new Problem('INVALID_QUERY', `"${part}" is not percent-encoded UTF-8`);
  }
}
