// How does a test follow the change feed? By requests, and by a stream whose events it takes one by one.

import { request, type IncomingMessage } from 'node:http';
import type { InProcessNode } from './in-process-node.js';

export interface ChangeEntry {
  readonly key: string;
  readonly op: 'put' | 'delete' | 'expire';
  readonly etag?: string;
  readonly siblings?: number;
  readonly contentType?: string;
  readonly value?: string;
  readonly base64?: string;
}

export interface ChangeBatch {
  readonly entries: readonly ChangeEntry[];
  readonly cursor: string;
  readonly pending: number;
  readonly session: string;
}

export async function changes(node: InProcessNode, query = ''): Promise<ChangeBatch> {
  const response = await node.request(`/v1/changes${query}`);
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
  return (await response.json()) as ChangeBatch;
}

export interface StreamEvent {
  readonly event?: string;
  readonly id?: string;
  readonly data?: string;
}

/** A stream of server-sent events over a connection of its own. */
export class ChangeStream {
  private text = '';
  private isEnded = false;
  private wake: () => void = () => {};
  readonly events: StreamEvent[] = [];

  private constructor(private readonly response: IncomingMessage) {
    response.setEncoding('utf8');
    response.on('data', (text: string) => this.take(text));
    const ended = (): void => {
      this.isEnded = true;
      this.wake();
    };
    response.on('end', ended);
    response.on('error', ended);
    response.on('close', ended);
  }

  /** @param isPaused the client takes nothing until `resume` */
  static open(url: string, headers: Record<string, string> = {}, isPaused = false): Promise<ChangeStream> {
    return new Promise((resolve, reject) => {
      const sent = request(url, { headers, agent: false }, (response) => {
        if (response.statusCode !== 200) return reject(new Error(`${response.statusCode}`));
        const stream = new ChangeStream(response);
        if (isPaused) response.pause();
        resolve(stream);
      });
      sent.on('error', reject);
      sent.end();
    });
  }

  get headers(): IncomingMessage['headers'] {
    return this.response.headers;
  }

  /** The next event with data; undefined when the stream has ended. */
  async next(): Promise<StreamEvent | undefined> {
    for (;;) {
      const event = this.events.shift();
      if (event?.data !== undefined) return event;
      if (event !== undefined) continue;
      if (this.isEnded) return undefined;
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }

  async nextBatch(): Promise<ChangeBatch> {
    const event = await this.next();
    if (event === undefined) throw new Error('the stream has ended');
    return JSON.parse(event.data!) as ChangeBatch;
  }

  resume(): void {
    this.response.resume();
  }

  close(): void {
    this.response.destroy();
  }

  private take(text: string): void {
    this.text += text;
    for (let end = this.text.indexOf('\n\n'); end >= 0; end = this.text.indexOf('\n\n')) {
      const lines = this.text.slice(0, end).split('\n');
      this.text = this.text.slice(end + 2);
      this.events.push(
        Object.fromEntries(lines.map((line) => [line.split(': ')[0], line.slice(line.indexOf(': ') + 2)])),
      );
    }
    this.wake();
  }
}
