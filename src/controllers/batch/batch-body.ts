// Which operations does the body of a batch hold? A JSON array of them, or one in each line (NDJSON). What is neither is
// refused whole, and nothing is done: it may have been cut off, and then it says less than its author meant.

import { isUtf8 } from 'node:buffer';
import { Problem } from '../http/problem.js';

/** One commit, one answer, and one turn of the event loop: more would keep other clients waiting. */
export const OPERATIONS_MAX = 10_000;

/** It is in memory as bytes, as text and as values. */
export const BATCH_BYTES_MAX = 16 * 1024 * 1024;

export type Framing = 'json' | 'ndjson';

/** @throws Problem UNSUPPORTED_MEDIA_TYPE */
export function framingOf(contentType: string | undefined): Framing {
  const [type] = (contentType ?? '').split(';');
  switch (type!.trim().toLowerCase()) {
    case 'application/json':
      return 'json';
    case 'application/x-ndjson':
      return 'ndjson';
    default:
      throw new Problem('UNSUPPORTED_MEDIA_TYPE', 'send application/json, an array, or application/x-ndjson');
  }
}

/**
 * What `take` makes of each operation, in their order.
 * @throws Problem INVALID_BODY, BATCH_TOO_LARGE
 */
export function parseBody<T>(body: Buffer, framing: Framing, take: (operation: unknown) => T): readonly T[] {
  if (!isUtf8(body)) throw new Problem('INVALID_BODY', 'the body is not UTF-8');
  const text = body.toString();
  return framing === 'json' ? limited(parseArray(text)).map(take) : parseLines(text, take);
}

function parseArray(text: string): readonly unknown[] {
  const value = parse(text, 'the body');
  if (Array.isArray(value)) return value;
  throw new Problem('INVALID_BODY', 'the body is not a JSON array of operations');
}

/** The values of a line may be let go before the next is read. */
function parseLines<T>(text: string, take: (operation: unknown) => T): readonly T[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return limited(lines).map((line, place) => take(parse(line, `line ${place + 1}`)));
}

function limited<T>(operations: readonly T[]): readonly T[] {
  if (operations.length <= OPERATIONS_MAX) return operations;
  throw new Problem('BATCH_TOO_LARGE', `the batch has ${operations.length} operations; at most ${OPERATIONS_MAX}`);
}

function parse(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Problem('INVALID_BODY', `${what} is not JSON: ${(error as Error).message.slice(0, 200)}`);
  }
}
