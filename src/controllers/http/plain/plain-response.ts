// How is a plain request answered? With the bytes that Node's own response would write, put together at less cost. It has
// those methods of Node's response that handlers use, with the same meaning.

import { STATUS_CODES } from 'node:http';
import { httpDate } from '../http-date.js';

/** Where an answer goes to. */
export interface AnswerSink {
  /** The whole answer, in one or two pieces; strings are Latin-1. */
  send(status: number, head: string, body?: Buffer): void;
  /** Ends the connection without a word. */
  cut(): void;
  /** What a connection that stays says of itself. */
  readonly keepAlive: string;
}

/** What no header may hold: it could begin another one, or an answer that nobody gave. */
const UNSAFE = /[^\t\x20-\x7e\x80-\xff]/;

export class PlainResponse {
  statusCode = 200;
  sendDate = true;
  headersSent = false;
  private head = '';
  private isKeptSilent = false;
  private fields: Map<string, readonly [name: string, value: string]> | undefined;

  constructor(
    private readonly sink: AnswerSink,
    private readonly hasBody: boolean,
  ) {}

  setHeader(name: string, value: string | number): void {
    this.fields ??= new Map();
    this.fields.set(name.toLowerCase(), [name, String(value)]);
  }

  hasHeader(name: string): boolean {
    return this.fields?.has(name.toLowerCase()) === true;
  }

  /** Of those that are not set, too, as Node has it: a connection is then not spoken of. */
  removeHeader(name: string): void {
    if (name === 'Connection') this.isKeptSilent = true;
    this.fields?.delete(name.toLowerCase());
  }

  /**
   * @param fields names and values in turn, each name once, the length of a body among them
   * @throws TypeError when a value cannot stand in a header
   */
  writeHead(status: number, fields: readonly string[]): void {
    let head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n`;
    for (let place = 0; place < fields.length; place += 2) head += field(fields[place]!, fields[place + 1]!);
    this.statusCode = status;
    this.head = head;
  }

  /** The answer goes out, and is complete. */
  end(body?: string | Buffer, encoding: 'latin1' | 'utf8' = 'utf8'): void {
    if (this.head === '') {
      if (!this.hasHeader('Content-Length')) this.setHeader('Content-Length', Buffer.byteLength(body ?? ''));
      this.writeHead(this.statusCode, [...this.fields!.values()].flat());
    }
    let { head } = this;
    if (this.sendDate) head += `Date: ${httpDate(Date.now())}\r\n`;
    if (!this.isKeptSilent) head += this.sink.keepAlive;
    head += '\r\n';
    this.headersSent = true;
    if (body === undefined || !this.hasBody) this.sink.send(this.statusCode, head);
    else if (typeof body !== 'string') this.sink.send(this.statusCode, head, body);
    else if (encoding === 'latin1') this.sink.send(this.statusCode, head + body);
    else this.sink.send(this.statusCode, head, Buffer.from(body));
  }

  destroy(): void {
    this.sink.cut();
  }
}

function field(name: string, value: string): string {
  if (UNSAFE.test(value)) throw new TypeError(`the header ${name} cannot hold ${JSON.stringify(value)}`);
  return `${name}: ${value}\r\n`;
}
