// What does every write of a key say, whatever it writes?

import type { WriteRequest } from '../../replication/requests.js';
import type { Request } from '../http/exchange.js';
import { parseQuery, type Query } from '../http/query.js';
import { timeoutMsOf } from '../http/session-gate.js';
import { keyOfUrl } from '../http/target.js';
import type { Tokens } from '../http/tokens.js';
import type { KvOptions } from './kv-options.js';
import { replicasNeeded } from './replicas-needed.js';
import { preconditionOf } from './write-headers.js';

export interface ParsedWrite {
  readonly request: Omit<WriteRequest, 'operation' | 'requestName'>;
  readonly query: Query;
}

export class WriteParser {
  constructor(
    private readonly tokens: Tokens,
    private readonly options: KvOptions,
  ) {}

  /**
   * @param names of query parameters that this write takes
   * @throws Problem
   */
  parse(req: Request, prefix: string, names: readonly string[]): ParsedWrite {
    this.options.checkWritable();
    const url = req.url!;
    const key = keyOfUrl(url, prefix);
    const query = parseQuery(url, names);
    const token = req.headers['quartet-context'];
    const request = {
      key,
      acksNeeded: replicasNeeded(query, 'w', this.options.memberCount()),
      timeoutMs: timeoutMsOf(query),
      context: typeof token === 'string' ? this.tokens.parseContext(key, token) : undefined,
      precondition: preconditionOf(req),
    };
    return { request, query };
  }
}
