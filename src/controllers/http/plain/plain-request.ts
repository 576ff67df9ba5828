// Which requests need no parser of HTTP? Those whose bytes can mean one thing only: one of five methods, a path, headers of
// visible ASCII each once, a body of announced length, and nothing that changes what a connection is. This is no parser: it
// says of bytes that they are such a request, that they may become one, or that somebody else must look at them.

import type { IncomingHttpHeaders } from 'node:http';
import { keepsConnection, plainFields } from '../../../codec/plain-fields.js';
import { unknownHeader } from '../own-headers.js';

/** A request in full: what handlers use of Node's request, under the same names. */
export class PlainRequest {
  /** Of a request that came to the port for peers. */
  isFromPeerPort?: boolean;

  constructor(
    readonly method: string,
    readonly url: string,
    readonly headers: IncomingHttpHeaders,
    /** A view of what the connection received. */
    readonly body: Buffer,
  ) {}
}

/** What may become a plain request when more comes. */
export interface Unfinished {
  /** Of the whole request; 0 while its headers are not complete. */
  readonly bytes: number;
}

/** Longer heads are for a parser, which bounds them. */
const HEAD_BYTES_MAX = 8192;

const REQUEST_LINE = /(GET|HEAD|PUT|DELETE|POST) (\/[A-Za-z0-9\-._~%!$&'()*+,;=:@/?]*) HTTP\/1\.1\r\n/y;

/** What plain requests begin with. */
const BEGINNINGS = ['GET /', 'HEAD /', 'PUT /', 'DELETE /', 'POST /'];

/** Headers that say how the bytes are to be taken apart, or that the connection shall become something else or end. */
const OF_THE_CONNECTION = ['expect', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade'];

/** Methods whose requests have bodies. */
const WITH_BODY = new Set(['PUT', 'POST']);

/** Reads the requests of one connection: most clients send the same headers with each, which need not be taken apart again. */
export class PlainReader {
  private lines = '';
  private fields: IncomingHttpHeaders | undefined;

  /** @returns undefined for what is not plain */
  read(bytes: Buffer): PlainRequest | Unfinished | undefined {
    const text = bytes.toString('latin1', 0, Math.min(bytes.length, HEAD_BYTES_MAX));
    const end = text.indexOf('\r\n\r\n');
    if (end < 0) return bytes.length < HEAD_BYTES_MAX && isBeginning(text) ? { bytes: 0 } : undefined;
    REQUEST_LINE.lastIndex = 0;
    const line = REQUEST_LINE.exec(text);
    if (line === null) return undefined;
    const headers = this.headersOf(text.slice(REQUEST_LINE.lastIndex, end + 2));
    if (headers?.host === undefined) return undefined;
    const method = line[1]!;
    const announced = headers['content-length'];
    const length = announced === undefined ? 0 : /^\d{1,7}$/.test(announced) ? Number(announced) : NaN;
    // The body of a read is nothing that a handler looks for.
    if (!(length === 0 || (length > 0 && WITH_BODY.has(method)))) return undefined;
    const size = end + 4 + length;
    if (bytes.length > size) return undefined;
    if (bytes.length < size) return { bytes: size };
    // Not a slice of the text: the key in it may be kept, and would keep all of the text.
    const url = bytes.toString('latin1', method.length + 1, method.length + 1 + line[2]!.length);
    return new PlainRequest(method, url, headers, bytes.subarray(end + 4));
  }

  private headersOf(lines: string): IncomingHttpHeaders | undefined {
    if (lines !== this.lines) {
      this.fields = fieldsOf(lines);
      this.lines = lines;
    }
    return this.fields;
  }
}

/** However little of it has come. */
function isBeginning(text: string): boolean {
  return BEGINNINGS.some((beginning) => text.startsWith(beginning) || beginning.startsWith(text));
}

/** @returns undefined when a parser must look at them */
function fieldsOf(lines: string): IncomingHttpHeaders | undefined {
  const fields = plainFields(lines);
  if (fields === undefined || !keepsConnection(fields) || OF_THE_CONNECTION.some((name) => name in fields))
    return undefined;
  // Refused behind the parser: so no plain request has to be looked at for it.
  if (unknownHeader(fields) !== undefined) return undefined;
  // More than one request will have them.
  return Object.freeze(fields) as IncomingHttpHeaders;
}
