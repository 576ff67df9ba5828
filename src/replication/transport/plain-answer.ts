// Which answers need no parser of HTTP? Those whose bytes can mean one thing only: a status that has a body, headers of visible
// ASCII, and a body of announced length. Everything else is for Node's client.

import { keepsConnection, plainFields } from '../../codec/plain-fields.js';

export interface AnswerHead {
  readonly status: number;
  /** Of `Content-Encoding`. */
  readonly encoding: string | undefined;
  /** Where the body begins, and where it ends. */
  readonly bodyFrom: number;
  readonly end: number;
  /** No other message may follow on this connection. */
  readonly isLast: boolean;
}

/** Longer heads are for a parser, which bounds them. */
const HEAD_BYTES_MAX = 8192;

const BEGINNING = 'HTTP/1.1 ';
const STATUS_LINE = /HTTP\/1\.1 (200|[45]\d\d) [ -~]*\r\n/y;

/** Headers that say how the bytes are to be taken apart, or that the connection shall become something else. */
const FOR_A_PARSER = ['proxy-connection', 'trailer', 'transfer-encoding', 'upgrade'];

/**
 * @param bytes all that has come of an answer
 * @returns undefined for what is not plain
 */
export function readHead(bytes: Buffer): AnswerHead | 'unfinished' | undefined {
  const text = bytes.toString('latin1', 0, Math.min(bytes.length, HEAD_BYTES_MAX));
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd < 0) return bytes.length < HEAD_BYTES_MAX && isBeginning(text) ? 'unfinished' : undefined;
  STATUS_LINE.lastIndex = 0;
  const line = STATUS_LINE.exec(text);
  if (line === null) return undefined;
  const fields = plainFields(text.slice(STATUS_LINE.lastIndex, headEnd + 2));
  if (fields === undefined || FOR_A_PARSER.some((name) => name in fields)) return undefined;
  const length = fields['content-length'];
  if (length === undefined || !/^\d{1,10}$/.test(length)) return undefined;
  const bodyFrom = headEnd + 4;
  return {
    status: Number(line[1]),
    encoding: fields['content-encoding'],
    bodyFrom,
    end: bodyFrom + Number(length),
    isLast: !keepsConnection(fields),
  };
}

/** However little of it has come. */
function isBeginning(text: string): boolean {
  return text.startsWith(BEGINNING) || BEGINNING.startsWith(text);
}
