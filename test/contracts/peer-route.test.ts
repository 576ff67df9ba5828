// Does a message of a replica get the same answer without a parser, before the router and behind it?

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PEER_CONTENT_TYPE } from '../../src/replication/transport/http-peer-transport.js';
import { encodeRequest } from '../../src/replication/transport/message-codec.js';
import { InProcessNode } from '../support/in-process-node.js';
import { ask, WAYS, type Asked } from '../support/three-ways.js';

const SECRET = 'a secret of this test';

const members = encodeRequest({ from: 'n9', to: '', message: { kind: 'members', members: new Map() } }).toString(
  'latin1',
);

const shown = { Authorization: `Bearer ${SECRET}`, 'Content-Type': PEER_CONTENT_TYPE };

const REQUESTS: readonly [what: string, request: Omit<Asked, 'path'> & { readonly query?: string }, status: number][] =
  [
    ['a message', { method: 'POST', headers: shown, body: members }, 200],
    [
      'a message with a header that a later release may have',
      { method: 'POST', headers: { ...shown, 'Quartet-Later': 'any' }, body: members },
      200,
    ],
    [
      'a message without the secret',
      { method: 'POST', headers: { 'Content-Type': PEER_CONTENT_TYPE }, body: members },
      401,
    ],
    [
      'a message with another secret',
      { method: 'POST', headers: { ...shown, Authorization: 'Bearer x' }, body: members },
      403,
    ],
    ['what is no message', { method: 'POST', headers: shown, body: 'nonsense' }, 400],
    [
      'a message of another type',
      { method: 'POST', headers: { ...shown, 'Content-Type': 'text/plain' }, body: members },
      415,
    ],
    ['a message with a parameter', { method: 'POST', query: '?a=1', headers: shown, body: members }, 400],
    ['another method', { method: 'GET', headers: shown }, 405],
  ];

describe('What comes to /put_remote', () => {
  let node: InProcessNode;
  beforeAll(async () => {
    node = await InProcessNode.start({ clusterSecret: SECRET });
  });
  afterAll(() => node.remove());

  it.each(REQUESTS)('is answered alike each way: %s', async (_, { query = '', ...request }, status) => {
    const answers = [];
    for (const way of WAYS) {
      const { headers, ...answer } = await ask(way, node.port, { ...request, path: `put_remote${query}` });
      answers.push({
        ...answer,
        type: headers['content-type'],
        allow: headers.allow,
        asks: headers['www-authenticate'],
      });
    }
    expect(answers[0]!.status).toBe(status);
    for (const answer of answers) expect(answer).toEqual(answers[0]);
  });
});
