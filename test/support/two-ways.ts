// How does a test ask for a key in both ways that a replica has? By the path alone, which is answered before the router,
// and by the whole address, as a proxy asks, which the router leads to the controller.

import { request, Agent } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';

export type Way = 'by the path' | 'by the whole address';

export const WAYS: readonly Way[] = ['by the path', 'by the whole address'];

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

const agent = new Agent({ keepAlive: true });

export function ask(way: Way, port: number, { method, path, headers = {}, body }: Asked): Promise<Answered> {
  const target = way === 'by the path' ? `/${path}` : `http://127.0.0.1:${port}/${path}`;
  return new Promise((resolve, reject) => {
    const sent = request({ agent, host: '127.0.0.1', port, method, path: target, headers }, (res) => {
      const pieces: Buffer[] = [];
      res.on('data', (piece: Buffer) => pieces.push(piece));
      res.on('error', reject);
      res.on('end', () =>
        resolve({ status: res.statusCode!, headers: res.headers, body: Buffer.concat(pieces).toString() }),
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
