// How does a test play a client that no library would be? With the bytes of the connection in its own hands: half a
// request, several at once, a hang in the middle, an end without a word.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface RawResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** One byte is one character, both ways: nothing is lost in between. */
const ENCODING = 'latin1';

export class RawClient {
  private received = '';
  private isEnded = false;
  private wake: () => void = () => {};

  private constructor(private readonly socket: Socket) {
    socket.setEncoding(ENCODING);
    socket.on('data', (text: string) => {
      this.received += text;
      this.wake();
    });
    const ended = (): void => {
      this.isEnded = true;
      this.wake();
    };
    socket.on('end', ended);
    socket.on('close', ended);
    // A connection that is reset has ended; the test sees it in what it got.
    socket.on('error', ended);
  }

  /** It never closes its own side unless told to: a server must not depend on that. */
  static async connect(port: number): Promise<RawClient> {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  send(text: string): this {
    this.socket.write(text, ENCODING);
    return this;
  }

  /** Takes nothing of what comes. */
  pause(): this {
    this.socket.pause();
    return this;
  }

  /** Takes what comes again. */
  resume(): this {
    this.socket.resume();
    return this;
  }

  /** Sends nothing more. */
  end(): void {
    this.socket.end();
  }

  /** Leaves without a word. */
  leave(): void {
    this.socket.destroy();
  }

  /** The next response. `hasBody`: false for the answer to a HEAD, whose length announces what does not come. */
  async response({ hasBody = true } = {}): Promise<RawResponse> {
    const head = await this.take((text) => endOf(text, '\r\n\r\n'));
    const [first, ...lines] = head.trimEnd().split('\r\n');
    const headers = new Map(
      lines.map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }),
    );
    const status = Number(first!.split(' ')[1]);
    const length = Number(headers.get('content-length') ?? 0);
    const body = hasBody && length > 0 ? await this.take((text) => (text.length >= length ? length : undefined)) : '';
    return { status, headers, body };
  }

  /** Everything until the server ends the connection. */
  rest(): Promise<string> {
    return this.take((text) => (this.isEnded ? text.length : undefined));
  }

  private async take(lengthIn: (text: string) => number | undefined): Promise<string> {
    for (;;) {
      const length = lengthIn(this.received);
      if (length !== undefined) {
        const taken = this.received.slice(0, length);
        this.received = this.received.slice(length);
        return taken;
      }
      if (this.isEnded) throw new Error(`the server ended the connection after: ${JSON.stringify(this.received)}`);
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }
}

/** One request on a connection of its own. */
export async function rawExchange(port: number, request: string): Promise<RawResponse> {
  const client = await RawClient.connect(port);
  try {
    return await client.send(request).response();
  } finally {
    client.leave();
  }
}

/** A request in full, with its length, or with what `headers` say instead. */
export function rawRequest(
  method: string,
  target: string,
  { headers = {}, body = '' }: { readonly headers?: Readonly<Record<string, string>>; readonly body?: string } = {},
): string {
  const all: Record<string, string> = { Host: 'quartet', 'Content-Length': String(body.length), ...headers };
  if ('Transfer-Encoding' in all) delete all['Content-Length'];
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n${body}`;
}

function endOf(text: string, mark: string): number | undefined {
  const place = text.indexOf(mark);
  return place < 0 ? undefined : place + mark.length;
}
