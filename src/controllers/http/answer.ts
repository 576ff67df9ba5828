// How is an answer written at least cost? Its headers are gathered as a flat list and handed over in one go: Node then
// neither keeps them in a table of its own nor looks for each by name. A short body goes into the same write as the head,
// for which both must be strings: in Latin-1 one character is one byte, and nothing is changed.

import type { Response } from './exchange.js';

/** Longer bodies go out as they are: to copy them costs more than a second buffer in the write. */
const JOINED_BYTES_MAX = 4096;

export class Answer {
  private readonly fields: string[] = [];

  constructor(private readonly res: Response) {}

  /** Each name once; the length of the body is told by `end`. */
  setHeader(name: string, value: string | number): void {
    this.fields.push(name, String(value));
  }

  /** The answer goes out, and is complete. */
  end(status: number, body?: Buffer): void {
    const { res, fields } = this;
    if (status !== 204 && status !== 304) fields.push('Content-Length', String(body?.length ?? 0));
    res.writeHead(status, fields);
    if (body === undefined) res.end();
    else if (body.length <= JOINED_BYTES_MAX) res.end(body.toString('latin1'), 'latin1');
    else res.end(body);
  }

  /** As `end`, with text in UTF-8. */
  endText(status: number, text: string): void {
    const { res, fields } = this;
    const length = Buffer.byteLength(text);
    fields.push('Content-Length', String(length));
    res.writeHead(status, fields);
    res.end(text, length === text.length ? 'latin1' : 'utf8');
  }

  /** Leaves the headers so far to the error that is answered instead. */
  release(): void {
    for (let place = 0; place < this.fields.length; place += 2) {
      this.res.setHeader(this.fields[place]!, this.fields[place + 1]!);
    }
  }
}
