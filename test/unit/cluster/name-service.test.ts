// What does a name service say of the members? A real resolver asks a real server over UDP.

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { Resolver } from 'node:dns/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import packet from 'dns-packet';
import { membersOf } from '../../../src/cluster/name-service.js';
import { MembersError } from '../../../src/cluster/members.js';

const SERVICE = '_quartet._tcp.peers.example';

let server: Socket;
let resolver: Resolver;
/** By target, the port; undefined: the name is not known. */
let listed: Record<string, number> | undefined;

beforeEach(async () => {
  server = createSocket('udp4', (query, from) => {
    const { id, questions } = packet.decode(query);
    const isKnown = listed !== undefined && questions![0]!.name === SERVICE && questions![0]!.type === 'SRV';
    const answers = Object.entries(isKnown ? listed! : {}).map(
      ([target, port]) => ({ type: 'SRV', name: SERVICE, data: { target, port } }) as const,
    );
    // 3: no such name.
    const flags = packet.AUTHORITATIVE_ANSWER | (isKnown ? 0 : 3);
    server.send(packet.encode({ type: 'response', id: id!, flags, questions: questions!, answers }), from.port);
  });
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');
  resolver = new Resolver({ timeout: 1000, tries: 1 });
  resolver.setServers([`127.0.0.1:${server.address().port}`]);
});

afterEach(() => {
  server.close();
});

describe('The members that a name service lists', () => {
  test('are the targets of its records, by their first labels, at their ports', async () => {
    listed = { 'quartet-0.peers.example': 5000, 'Quartet-1.Peers.example': 6000 };
    const members = await membersOf(SERVICE, resolver);
    expect([...members].sort((left, right) => (left.name < right.name ? -1 : 1))).toEqual([
      { name: 'quartet-0', url: 'http://quartet-0.peers.example:5000', isNamed: true },
      { name: 'quartet-1', url: 'http://quartet-1.peers.example:6000', isNamed: true },
    ]);
  });

  test.each([
    ['the name is not known', undefined],
    ['it has no records', {}],
  ])('are none while %s: the first one to start is alone', async (_, none) => {
    listed = none;
    expect(await membersOf(SERVICE, resolver)).toEqual([]);
  });

  test('are refused when they are too many, or have names that are none', async () => {
    listed = Object.fromEntries(Array.from({ length: 17 }, (_, place) => [`quartet-${place}.peers.example`, 5000]));
    await expect(membersOf(SERVICE, resolver)).rejects.toThrow(MembersError);
    listed = { 'under_score.peers.example': 5000 };
    await expect(membersOf(SERVICE, resolver)).rejects.toThrow(MembersError);
  });

  test('are not known while no server answers', async () => {
    const silent = createSocket('udp4');
    silent.bind(0, '127.0.0.1');
    await once(silent, 'listening');
    resolver = new Resolver({ timeout: 100, tries: 1 });
    resolver.setServers([`127.0.0.1:${silent.address().port}`]);
    await expect(membersOf(SERVICE, resolver)).rejects.toThrow();
    silent.close();
  });
});
