// How is a message posted where the bytes of an answer may be anything that HTTP allows, or are encrypted? By the client that
// Node has, over connections that are kept.

import { Agent as HttpAgent, request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { PeerPost, PeerResponse } from './peer-post.js';

export class NodeClient {
  private readonly agents = { http: new HttpAgent({ keepAlive: true }), https: new HttpsAgent({ keepAlive: true }) };

  /** @param answerBytesMax of the body of an answer: a larger one is a failure */
  constructor(private readonly answerBytesMax: number) {}

  /**
   * @param spentMs of the message's time
   * @throws Error without an answer in time
   */
  post(message: PeerPost, spentMs = 0): Promise<PeerResponse> {
    return new Promise((resolve, reject) => {
      const sent = this.begin(message);
      const fail = (problem: string, code?: string): void => {
        reject(Object.assign(new Error(problem), { code }));
        sent.destroy();
      };
      const { timeoutMs } = message;
      const late = setTimeout(() => fail(`no answer within ${timeoutMs} ms`, 'ETIMEDOUT'), timeoutMs - spentMs);
      sent.on('response', (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          chunks.push(chunk);
          size += chunk.length;
          if (size > this.answerBytesMax) fail(`the answer is longer than ${this.answerBytesMax} bytes`);
        });
        response.on('end', () => resolve(answered(response, chunks)));
        response.on('error', reject);
      });
      sent.on('error', reject);
      sent.on('close', () => {
        clearTimeout(late);
        reject(new Error('the connection ended before the answer did'));
      });
      sent.end(message.body);
    });
  }

  private begin({ url, headers, body }: PeerPost): ClientRequest {
    const options = { method: 'POST', headers: { ...headers, 'Content-Length': body.length } };
    const request = url.startsWith('https:')
      ? httpsRequest(url, { ...options, agent: this.agents.https })
      : httpRequest(url, { ...options, agent: this.agents.http });
    // That it stays is what HTTP/1.1 means.
    request.removeHeader('Connection');
    return request;
  }
}

function answered({ statusCode, headers }: IncomingMessage, chunks: readonly Buffer[]): PeerResponse {
  const body = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
  return { status: statusCode!, encoding: headers['content-encoding'], body };
}
