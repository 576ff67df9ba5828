// How does a test ask for a key in each way that a replica has? By a plain request, which no parser sees; by one with a
// header that is for the parser, which is answered before the router; and by the whole address, as a proxy asks, which the
// router leads to the controller.

import { request, Agent } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';

export type Way = 'plainly' | 'by the path' | 'by the whole address';

export const WAYS: readonly Way[] = ['plainly', 'by the path', 'by the whole address'];

export interface Asked {
  readonly method: string;
  /** Behind the slash: `v1/kv/a?w=1`. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const kept = new Agent({ keepAlive: true });

/** Means nothing here, but is for whoever reads a connection. */
const NOT_PLAIN = { TE: 'trailers' };

export function ask(way: Way, port: number, { method, path, headers = {}, body }: Asked): Promise<Answered> {
  const target = way === 'by the whole address' ? `http://127.0.0.1:${port}/${path}` : `/${path}`;
  // After the first request that is not plain, all of a connection are parsed: each plain one has its own.
  const agent = way === 'plainly' ? new Agent({ keepAlive: true }) : kept;
  const all = way === 'plainly' ? headers : { ...headers, ...NOT_PLAIN };
  return new Promise((resolve, reject) => {
    const sent = request({ agent, host: '127.0.0.1', port, method, path: target, headers: all }, (res) => {
      const pieces: Buffer[] = [];
      res.on('data', (piece: Buffer) => pieces.push(piece));
      res.on('error', reject);
      res.on('end', () => {
        if (agent !== kept) agent.destroy();
        resolve({ status: res.statusCode!, headers: res.headers, body: Buffer.concat(pieces).toString() });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
