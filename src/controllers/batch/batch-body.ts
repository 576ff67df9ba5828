// Which operations does the body of a batch hold? A JSON array of them, or one in each line (NDJSON). What is neither is
// refused whole, and nothing is done: it may have been cut off, and then it says less than its author meant.

import { isUtf8 } from 'node:buffer';
import { extentOf } from '../http/json-text.js';
import { Problem } from '../http/problem.js';

/** One commit, one answer, and one turn of the event loop: more would keep other clients waiting. */
export const OPERATIONS_MAX = 10_000;

/** It is in memory as bytes, as text and as values. */
export const BATCH_BYTES_MAX = 16 * 1024 * 1024;

/** An operation is one object, and has seven fields at most; more than there may be in all of them is not parsed. */
const VALUES_MAX = OPERATIONS_MAX * 16;

/** What an operation has no use for is its own error, and not the whole batch's, as long as it is no deeper. */
const NESTING_MAX = 64;

const LINE_FEED = 0x0a;

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
  return framing === 'json' ? parseArray(body).map(take) : parseLines(body, take);
}

function parseArray(body: Buffer): readonly unknown[] {
  const extent = extentOf(body);
  limit(extent.items ?? 0);
  const value = parse(body, 'the body', extent);
  if (Array.isArray(value)) return value;
  throw new Problem('INVALID_BODY', 'the body is not a JSON array of operations');
}

/** The values of a line may be let go before the next is read. */
function parseLines<T>(body: Buffer, take: (operation: unknown) => T): readonly T[] {
  limit(linesOf(body));
  const operations: T[] = [];
  for (let from = 0; from < body.length;) {
    const end = body.indexOf(LINE_FEED, from);
    const line = body.subarray(from, end < 0 ? body.length : end);
    operations.push(take(parse(line, `line ${operations.length + 1}`)));
    from += line.length + 1;
  }
  return operations;
}

/** The last one needs no line feed. */
function linesOf(body: Buffer): number {
  let lines = body.length === 0 || body.at(-1) === LINE_FEED ? 0 : 1;
  for (let place = 0; place < body.length; place++) if (body[place] === LINE_FEED) lines++;
  return lines;
}

function limit(operations: number): void {
  if (operations <= OPERATIONS_MAX) return;
  throw new Problem('BATCH_TOO_LARGE', `the batch has ${operations} operations; at most ${OPERATIONS_MAX}`);
}

/** @param text valid UTF-8 */
function parse(text: Buffer, what: string, { depth, values } = extentOf(text)): unknown {
  if (depth > NESTING_MAX) throw new Problem('INVALID_BODY', `${what} is nested deeper than ${NESTING_MAX}`);
  if (values > VALUES_MAX) throw new Problem('INVALID_BODY', `${what} has more values than operations have fields`);
  try {
    return JSON.parse(text.toString());
  } catch (error) {
    throw new Problem('INVALID_BODY', `${what} is not JSON: ${(error as Error).message.slice(0, 200)}`);
  }
}
