// How is a server held against its own description? Every exchange of a test goes through here: sent as it is, and, when it
// is a GET, as a HEAD too; its answer is compared with the document, and what differs is kept.

import type { Answer, Described, Description } from './description.js';
import type { InProcessNode, RequestOptions } from './in-process-node.js';
import { rawExchange } from './raw-client.js';

export class Recorder {
  private found: string[] = [];

  constructor(readonly description: Description) {}

  /** Where answers since the last call differ from the document. */
  takeFaults(): readonly string[] {
    const faults = [...new Set(this.found)];
    this.found = [];
    return faults;
  }

  async ask(node: InProcessNode, method: string, url: string, options: RequestOptions = {}): Promise<Answer> {
    const answer = await this.exchange(node, method, url, options);
    if (method.toUpperCase() === 'GET') await this.exchange(node, 'HEAD', url, options);
    return answer;
  }

  /** `request` with the bytes of the connection in hand. */
  async askRaw(node: InProcessNode, described: Described, request: string): Promise<Answer> {
    const answer = await rawExchange(node.port, request);
    this.note(described, answer);
    return answer;
  }

  note(described: Described, answer: Answer): void {
    this.found.push(...this.description.check(described, answer));
  }

  private async exchange(node: InProcessNode, method: string, url: string, options: RequestOptions): Promise<Answer> {
    const described = this.find(method, url);
    const response = await node.request(url, { ...options, method: method.toUpperCase() });
    const answer = { status: response.status, headers: new Map(response.headers), body: await bodyOf(response) };
    this.note(described, answer);
    return answer;
  }

  private find(method: string, url: string): Described {
    const path = url.replace(/\?.*/, '');
    const matching = this.description.operations
      .filter((each) => each.method === method.toLowerCase() && patternOf(each.path).test(path))
      // `/v1/kv/{key}` matches less than a path without names.
      .sort((left, right) => left.path.split('{').length - right.path.split('{').length);
    if (matching[0] === undefined) throw new Error(`the document has no ${method} ${path}`);
    return matching[0];
  }
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/]+')}$`);
}

/** Of a stream of events, which has no end, what comes first. */
async function bodyOf(response: Response): Promise<string> {
  if (!response.headers.get('Content-Type')?.startsWith('text/event-stream')) return response.text();
  if (response.body === null) return '';
  const reader = response.body.getReader();
  const { value } = await reader.read();
  await reader.cancel();
  return Buffer.from(value ?? []).toString();
}
