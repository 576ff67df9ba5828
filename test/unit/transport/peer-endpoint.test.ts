// What does the answer to another replica cost?

import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { PeerEndpoint } from '../../../src/replication/transport/peer-endpoint.js';
import type { Packed } from '../../../src/replication/transport/compression.js';
import { encodeRequest } from '../../../src/replication/transport/message-codec.js';

const TEXT = 'quartet '.repeat(12_500);
const NOISE = randomBytes(75_000).toString('base64');

/** An endpoint that answers with a key for each request, and who asks it. */
function endpointThatTells(...keys: readonly string[]): (from: string) => Promise<Packed> {
  const told = keys.values();
  const receive = async () => ({
    kind: 'digests' as const,
    keys: new Map([[told.next().value ?? '', 1]]),
    through: undefined,
  });
  const endpoint = new PeerEndpoint({ receive }, 'n1');
  return (from) =>
    endpoint.answer(encodeRequest({ from, to: 'n1', message: { kind: 'pull-ahead', after: undefined } }), false);
}

describe('a large answer', () => {
  it('is sent deflated when it shrinks', async () => {
    expect((await endpointThatTells(TEXT)('n9')).encoding).toBe('deflate');
  });

  it('is sent as it is, untried, after one to the same replica that did not shrink', async () => {
    const ask = endpointThatTells(NOISE, TEXT, TEXT);
    expect((await ask('n9')).encoding).toBeUndefined();
    expect((await ask('n9')).encoding).toBeUndefined();
    expect((await ask('n8')).encoding).toBe('deflate');
  });

  it('is tried anew when a hundred others have asked meanwhile: who asks may take many names', async () => {
    const others = Array.from({ length: 100 }, (_, place) => `other-${place}`);
    const ask = endpointThatTells(NOISE, ...others, TEXT);
    await ask('n9');
    for (const other of others) await ask(other);
    expect((await ask('n9')).encoding).toBe('deflate');
  });
});
