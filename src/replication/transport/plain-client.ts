// How is a message posted at hardly more than the cost of the system's calls? Its head is put together as text, and a plain
// answer is taken from the bytes of the socket. Connections are kept, each has one message at a time, and the one that was used
// last is used next, so that those of a busy moment end.

import { validateHeaderValue } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { PeerPost, PeerResponse } from './peer-post.js';
import { readHead, type AnswerHead } from './plain-answer.js';

/** How soon a connection that says nothing is asked by the system whether it is still there. */
const KEEP_ALIVE_PROBE_MS = 1000;

/** As many as Node's client keeps. */
const IDLE_MAX = 256;

/** The peer has the message, and has answered it in a way that is for a parser. */
export class NotPlainError extends Error {}

/** Posts to one address, without TLS. Who sends bounds how many messages are under way, and connections are no more than that. */
export class PlainClient {
  /** Open, the one that was used last at the end. */
  private readonly idle: PlainConnection[] = [];
  private isClosed = false;

  constructor(
    private readonly url: URL,
    private readonly answerBytesMax: number,
  ) {}

  /**
   * @throws Error without an answer in time
   * @throws NotPlainError
   */
  async post({ headers, body, timeoutMs }: PeerPost): Promise<PeerResponse> {
    const head = this.headOf(headers, body.length);
    const connection = this.idle.pop() ?? this.connect();
    const late = setTimeout(() => connection.fail(timedOut(timeoutMs)), timeoutMs);
    try {
      const response = await connection.post(head, body);
      this.keep(connection);
      return response;
    } finally {
      clearTimeout(late);
    }
  }

  /** Keeps no connection from now on. What is under way goes on. */
  close(): void {
    this.isClosed = true;
    for (const connection of this.idle.splice(0)) connection.end();
  }

  private keep(connection: PlainConnection): void {
    if (this.isClosed || this.idle.length === IDLE_MAX) connection.end();
    else if (connection.isOpen) this.idle.push(connection);
  }

  private connect(): PlainConnection {
    const { hostname, port } = this.url;
    const host = hostname.replace(/^\[(.*)\]$/, '$1');
    const socket = connect({ host, port: Number(port || 80), noDelay: true });
    socket.setKeepAlive(true, KEEP_ALIVE_PROBE_MS);
    return new PlainConnection(socket, this.answerBytesMax, (connection) => {
      const place = this.idle.indexOf(connection);
      if (place >= 0) this.idle.splice(place, 1);
    });
  }

  private headOf(headers: PeerPost['headers'], length: number): string {
    const { host, pathname, search } = this.url;
    let head = `POST ${pathname}${search} HTTP/1.1\r\nHost: ${host}\r\n`;
    for (const [name, value] of Object.entries(headers)) {
      validateHeaderValue(name, value);
      head += `${name}: ${value}\r\n`;
    }
    return `${head}Content-Length: ${length}\r\n\r\n`;
  }
}

interface Waiter {
  readonly resolve: (response: PeerResponse) => void;
  readonly reject: (error: Error) => void;
}

class PlainConnection {
  private waiter: Waiter | undefined;
  private head: AnswerHead | undefined;
  private held: Buffer[] = [];
  private heldBytes = 0;

  constructor(
    private readonly socket: Socket,
    private readonly answerBytesMax: number,
    /** It has ended, or is ending. */
    private readonly ended: (connection: PlainConnection) => void,
  ) {
    socket.on('data', (chunk: Buffer) => this.take(chunk));
    socket.on('end', () => this.fail(new Error('the connection ended before the answer did')));
    socket.on('error', (error) => this.fail(error));
  }

  get isOpen(): boolean {
    return !this.socket.destroyed;
  }

  post(head: string, body: Buffer): Promise<PeerResponse> {
    const { socket } = this;
    return new Promise((resolve, reject) => {
      this.waiter = { resolve, reject };
      socket.ref();
      socket.cork();
      socket.write(head, 'latin1');
      socket.write(body);
      socket.uncork();
    });
  }

  end(): void {
    this.socket.destroy();
    this.ended(this);
  }

  /** Ends the connection, and the message that is under way. */
  fail(error: Error): void {
    this.end();
    this.waiter?.reject(error);
    this.waiter = undefined;
  }

  private take(chunk: Buffer): void {
    // Nothing was asked; it must not be taken for the answer to what will be.
    if (this.waiter === undefined) return this.fail(new Error('an answer came unasked'));
    this.held.push(chunk);
    this.heldBytes += chunk.length;
    if (this.head === undefined) {
      const head = readHead(this.bytes());
      if (head === 'unfinished') return;
      if (head === undefined) return this.fail(new NotPlainError('the answer is not a plain one'));
      this.head = head;
    }
    const { bodyFrom, end } = this.head;
    if (end - bodyFrom > this.answerBytesMax) {
      this.fail(new Error(`the answer is longer than ${this.answerBytesMax} bytes`));
    } else if (this.heldBytes > end) this.fail(new NotPlainError('more than an answer came'));
    else if (this.heldBytes === end) this.answer(this.head);
  }

  private answer({ status, encoding, bodyFrom, isLast }: AnswerHead): void {
    const body = this.bytes().subarray(bodyFrom);
    const { resolve } = this.waiter!;
    this.waiter = undefined;
    this.head = undefined;
    this.held = [];
    this.heldBytes = 0;
    // An answer may come before the message has gone: what is left of that would be the beginning of the next one.
    if (isLast || this.socket.writableLength > 0) this.end();
    // Nobody waits for it: it need not keep the process.
    else this.socket.unref();
    resolve({ status, encoding, body });
  }

  private bytes(): Buffer {
    return this.held.length === 1 ? this.held[0]! : Buffer.concat(this.held);
  }
}

function timedOut(timeoutMs: number): Error {
  return Object.assign(new Error(`no answer within ${timeoutMs} ms`), { code: 'ETIMEDOUT' });
}
