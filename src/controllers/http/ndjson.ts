// How are many lines sent without holding them all? In pieces, and no faster than the client takes them.

import type { ServerResponse } from 'node:http';
import { deliver, STALLED_MS_MAX } from './drained.js';

/** Lines are gathered up to this before they are written: fewer, larger writes. */
const PIECE_CHARS = 64 * 1024;

/** Writes one JSON text a line, waiting whenever the client is behind; stops quietly when it leaves. */
export function writeLines(
  res: ServerResponse,
  lines: AsyncIterable<unknown> | Iterable<unknown>,
  stalledMsMax = STALLED_MS_MAX,
): Promise<void> {
  return writeTexts(res, lines, (line) => `${JSON.stringify(line)}\n`, stalledMsMax);
}

/** As `writeLines`, of texts of any kind. */
export async function writeTexts<T>(
  res: ServerResponse,
  lines: AsyncIterable<T> | Iterable<T>,
  textOf: (line: T) => string,
  stalledMsMax = STALLED_MS_MAX,
): Promise<void> {
  let piece = '';
  const isFull = (line: T): boolean => (piece += textOf(line)).length >= PIECE_CHARS;
  const flush = (): Promise<boolean> => {
    const full = Buffer.from(piece);
    piece = '';
    return deliver(res, full, stalledMsMax);
  };
  if (Symbol.asyncIterator in lines) {
    for await (const line of lines) if (isFull(line) && !(await flush())) return;
  } else {
    // What is there already need not be awaited line by line.
    for (const line of lines) if (isFull(line) && !(await flush())) return;
  }
  res.end(piece);
}
