// How is a JSON text sent that may be long? Nearly all are short, and go out at once, with their length. One that turns out long
// is sent as it is made, no faster than the client takes it: what is behind it may be small, or shared with others.

import type { ServerResponse } from 'node:http';
import { writeTexts } from './ndjson.js';

/** Ten thousand results of writes are two million. */
const WHOLE_CHARS_MAX = 4 * 1024 * 1024;

/** Ends the response with all of them, one behind the other; stops quietly when the client leaves. */
export async function writeJsonPieces(res: ServerResponse, pieces: Generator<string>): Promise<void> {
  let text = '';
  for (let next = pieces.next(); next.done !== true; next = pieces.next()) {
    if (text.length + next.value.length > WHOLE_CHARS_MAX) {
      return writeTexts(res, following([next.value, text], pieces), (piece) => piece);
    }
    text += next.value;
  }
  res.setHeader('Content-Length', Buffer.byteLength(text));
  res.end(text);
}

/** @param made the last of them first; each is let go when it is handed on */
function* following(made: string[], rest: Generator<string>): Generator<string> {
  while (made.length > 0) yield made.pop()!;
  yield* rest;
}
