// How are many lines sent without holding them all? In pieces, and no faster than the client takes them.

import { once } from 'node:events';
import type { ServerResponse } from 'node:http';

/** Lines are gathered up to this before they are written: fewer, larger writes. */
const PIECE_CHARS = 64 * 1024;

/** A reader that takes nothing for this long is cut off: it holds a snapshot, and with it disk that can't be freed. */
const STALLED_MS_MAX = 30_000;

/** Writes one JSON text a line, waiting whenever the client is behind; stops quietly when it leaves. */
export async function writeLines(
  res: ServerResponse,
  lines: AsyncIterable<unknown> | Iterable<unknown>,
): Promise<void> {
  let piece = '';
  const isFull = (line: unknown): boolean => (piece += `${JSON.stringify(line)}\n`).length >= PIECE_CHARS;
  const flush = (): Promise<boolean> => {
    const full = piece;
    piece = '';
    return writePiece(res, full);
  };
  if (Symbol.asyncIterator in lines) {
    for await (const line of lines) if (isFull(line) && !(await flush())) return;
  } else {
    // What is there already need not be awaited line by line.
    for (const line of lines) if (isFull(line) && !(await flush())) return;
  }
  res.end(piece);
}

async function writePiece(res: ServerResponse, piece: string): Promise<boolean> {
  if (res.destroyed) return false;
  if (res.write(piece)) return true;
  const left = new AbortController();
  const onClose = (): void => left.abort();
  res.once('close', onClose);
  try {
    await once(res, 'drain', { signal: AbortSignal.any([left.signal, AbortSignal.timeout(STALLED_MS_MAX)]) });
    return true;
  } catch {
    res.destroy();
    return false;
  } finally {
    res.off('close', onClose);
  }
}
