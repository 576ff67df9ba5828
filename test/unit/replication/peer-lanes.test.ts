// Who waits when as many messages are under way to a peer as may be?

import { describe, expect, it } from '@jest/globals';
import { PeerLanes, LeftLaneError } from '../../../src/replication/peer-lanes.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Messages to peers that answer when they are told to. */
function scene(underWayMax: number) {
  const lanes = new PeerLanes(underWayMax);
  const sent: string[] = [];
  const ends = new Map<string, { readonly answer: () => void; readonly fail: () => void }>();
  const failures: string[] = [];
  const send = (peer: string, owner: string) =>
    void lanes
      .send(peer, owner, () => {
        sent.push(owner);
        return new Promise<void>((resolve, reject) =>
          ends.set(owner, { answer: resolve, fail: () => reject(new Error('silent')) }),
        );
      })
      .catch((error: Error) => failures.push(`${owner} ${error instanceof LeftLaneError ? 'left' : error.message}`));
  return { lanes, sent, ends, failures, send };
}

describe('A message', () => {
  it('goes at once as long as fewer than the limit are under way to its peer; messages to others do not count', () => {
    const { sent, send } = scene(2);
    for (const [peer, owner] of [
      ['n2', 'a'],
      ['n2', 'b'],
      ['n2', 'c'],
      ['n3', 'd'],
    ] as const)
      send(peer, owner);
    expect(sent).toEqual(['a', 'b', 'd']);
  });

  it('beyond it goes when one before it is answered or fails, in the order in which they came', async () => {
    const { sent, send, ends, failures } = scene(1);
    for (const owner of ['a', 'b', 'c']) send('n2', owner);
    expect(sent).toEqual(['a']);
    ends.get('a')!.fail();
    await turn();
    expect(sent).toEqual(['a', 'b']);
    ends.get('b')!.answer();
    await turn();
    expect(sent).toEqual(['a', 'b', 'c']);
    expect(failures).toEqual(['a silent']);
  });

  it('that nobody wants any more never goes, to no peer, and keeps no place from others', async () => {
    const { lanes, sent, send, ends, failures } = scene(1);
    send('n2', 'a');
    send('n3', 'b');
    for (const owner of ['c', 'd']) for (const peer of ['n2', 'n3']) send(peer, owner);
    lanes.leave('c');
    await turn();
    expect(failures).toEqual(['c left', 'c left']);
    ends.get('a')!.answer();
    await turn();
    expect(sent).toEqual(['a', 'b', 'd']);
  });

  it('goes at once again when all before it have ended', async () => {
    const { lanes, sent, send, ends } = scene(1);
    send('n2', 'a');
    ends.get('a')!.answer();
    await turn();
    lanes.leave('a');
    send('n2', 'b');
    expect(sent).toEqual(['a', 'b']);
  });
});
