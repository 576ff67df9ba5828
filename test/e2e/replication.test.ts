// How far has a write come when it is answered, and what does a session promise at another replica?

import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { startCluster, type InProcessCluster } from '../support/in-process-cluster.js';
import { contextOf, sessionOf, type InProcessNode, type WriteBody } from '../support/in-process-node.js';
import { until } from '../support/until.js';

let cluster: InProcessCluster;
let n1: InProcessNode, n2: InProcessNode, n3: InProcessNode;
beforeAll(async () => {
  cluster = await startCluster(3);
  [n1, n2, n3] = cluster.nodes as [InProcessNode, InProcessNode, InProcessNode];
});
afterEach(() => cluster.restore());
afterAll(() => cluster.remove());

describe('w', () => {
  it.each([
    ['w=1', 1],
    ['w=2', 2],
    ['w=3', 3],
    ['w=majority', 2],
    ['w=all', 3],
  ])('%s answers once %d replicas have committed', async (query, acks) => {
    const response = await n1.put(query, 'value', { query });
    expect(response.status).toBe(201);
    const body = (await response.json()) as WriteBody;
    expect(body.acks).toBeGreaterThanOrEqual(acks);
    expect(response.headers.get('Quartet-Acks')).toBe(String(body.acks));
    const found = await Promise.all(cluster.nodes.map(async (node) => (await node.get(query)).status === 200));
    expect(found.filter(Boolean).length).toBeGreaterThanOrEqual(acks);
  });

  it('asks for this replica alone unless told otherwise', async () => {
    cluster.isolate(n1);
    expect((await n1.write('alone', 'value')).acks).toBe(1);
  });

  it('answers 202 when replicas are missing, says how far it got, and undoes nothing', async () => {
    cluster.isolate(n3);
    const response = await n1.put('partly', 'value', { query: 'w=all&timeout=300' });
    expect(response.status).toBe(202);
    expect(await response.json()).toMatchObject({ key: 'partly', acks: 2, siblings: 1 });
    expect(await (await n1.get('partly')).text()).toBe('value');
    expect((await n3.get('partly')).status).toBe(404);
    cluster.heal();
    await cluster.converge();
    expect(await (await n3.get('partly')).text()).toBe('value');
  });

  it('is reached by a majority while one replica is away', async () => {
    cluster.isolate(n3);
    const response = await n1.put('majority', 'value', { query: 'w=majority' });
    expect(response.status).toBe(201);
    expect(await response.json()).toMatchObject({ acks: 2 });
  });

  it('answers 202 at once with timeout=0', async () => {
    cluster.isolate(n1);
    const response = await n1.put('at once', 'value', { query: 'w=all&timeout=0' });
    expect(response.status).toBe(202);
    expect(await response.json()).toMatchObject({ acks: 1 });
  });

  it('answers 202 without a body to a client that wants none', async () => {
    cluster.isolate(n1);
    const headers = { Prefer: 'return=minimal' };
    const response = await n1.put('briefly', 'value', { query: 'w=2&timeout=0', headers });
    expect(response.status).toBe(202);
    expect(await response.text()).toBe('');
    expect(response.headers.get('Quartet-Acks')).toBe('1');
  });

  it('holds for deletes: 204 when reached, else 202', async () => {
    await n1.write('deleted', 'value', { query: 'w=all' });
    const reached = await n1.delete('deleted', { query: 'w=all' });
    expect(reached.status).toBe(204);
    for (const node of cluster.nodes) expect((await node.get('deleted')).status).toBe(404);
    cluster.isolate(n1);
    const missed = await n1.delete('deleted', { query: 'w=2&timeout=0' });
    expect(missed.status).toBe(202);
    expect(await missed.json()).toMatchObject({ key: 'deleted', acks: 1, siblings: 0 });
  });

  it('is reached late when the missing replica comes back in time', async () => {
    cluster.isolate(n3);
    const answer = n1.put('late', 'value', { query: 'w=all&timeout=10000' });
    await until('two replicas have it', async () => (await n2.get('late')).status === 200);
    cluster.heal();
    expect((await answer).status).toBe(201);
  });

  it.each(['w=0', 'w=4', 'w=most', 'w=-1', 'w=1.5', 'w=', 'w=1&w=1'])('refuses %s', async (query) => {
    const response = await n1.put('refused', 'value', { query });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: 'INVALID_QUERY' });
    expect((await n1.get('refused')).status).toBe(404);
  });
});

describe('a session', () => {
  it('reads its own writes at every replica, at once', async () => {
    for (let round = 0; round < 15; round++) {
      const { session } = await cluster.nodes[round % 3]!.write('own', `round ${round}`);
      const reader = cluster.nodes[(round + 1) % 3]!;
      expect(await (await reader.get('own', { session })).text()).toBe(`round ${round}`);
    }
  });

  it('never reads the past of what it has read', async () => {
    await n1.write('read before', 'old', { query: 'w=all' });
    cluster.isolate(n3);
    await n1.write('read before', 'new', { query: 'w=2' });
    const read = await n2.get('read before');
    expect(await read.text()).toBe('new');
    const stale = await n3.get('read before', { session: sessionOf(read), query: 'timeout=0' });
    expect(stale.status).toBe(503);
    expect(await (await n3.get('read before')).text()).toBe('old');
  });

  it('is refused with 503 and Retry-After by a replica that is cut off, for writes too', async () => {
    cluster.isolate(n2);
    const { session } = await n1.write('cut off', 'value');
    const before = await n2.clock();
    for (const answer of [
      await n2.get('cut off', { session, query: 'timeout=50' }),
      await n2.put('cut off', 'other', { session, query: 'timeout=0' }),
      await n2.delete('cut off', { session, query: 'timeout=0' }),
    ]) {
      expect(answer.status).toBe(503);
      expect(answer.headers.get('Retry-After')).toBe('1');
      expect(await answer.json()).toMatchObject({ code: 'NOT_CAUGHT_UP', outcome: 'definite' });
    }
    expect(await n2.clock()).toEqual(before);
  });

  it('is answered as soon as the replica has caught up, within the timeout', async () => {
    cluster.isolate(n2);
    const { session } = await n1.write('waited for', 'value');
    const answer = n2.get('waited for', { session, query: 'timeout=10000' });
    cluster.heal();
    expect(await (await answer).text()).toBe('value');
  });

  it('sees causes before effects, across keys and replicas', async () => {
    for (let round = 0; round < 6; round++) {
      const cause = await n1.write('cause', `${round}`);
      const effect = await n2.write('effect', `${round}`, { session: cause.session });
      const seen = await n3.get('cause', { session: effect.session });
      expect(Number(await seen.text())).toBe(round);
    }
  });

  it('that carries a read of an effect sees its cause, though nobody passed the cause on', async () => {
    const cause = await n1.write('quiet cause', 'cause');
    await n2.write('loud effect', 'effect', { session: cause.session });
    const effect = await n2.get('loud effect');
    expect((await n3.get('quiet cause', { session: sessionOf(effect) })).status).toBe(200);
  });

  it('that carries a read of an effect is not served where its cause has not come, however the effect came', async () => {
    cluster.cut(n1, n3);
    for (let round = 0; round < 8; round++) {
      const cause = await n1.write(`far cause ${round}`, 'cause');
      await n2.write(`near effect ${round}`, 'effect', { session: cause.session });
      let effect = await n3.get(`near effect ${round}`);
      await until('the effect has come', async () => {
        effect = await n3.get(`near effect ${round}`);
        return effect.status === 200;
      });
      // Refused, or served with it: n3 asks for what it misses sooner or later.
      const seen = await n3.get(`far cause ${round}`, { session: sessionOf(effect), query: 'timeout=0' });
      expect(seen.status).not.toBe(404);
    }
  });

  it('of a 404 after a delete keeps the key deleted', async () => {
    const { session } = await n1.write('gone', 'value', { query: 'w=all' });
    const deleted = await n2.delete('gone', { session });
    const missing = await n3.get('gone', { session: sessionOf(deleted) });
    expect(missing.status).toBe(404);
    expect((await n1.get('gone', { session: sessionOf(missing) })).status).toBe(404);
  });

  it('keeps what it covered before when a replica that knows other things answers', async () => {
    const first = await n1.write('first', 'a');
    const second = await n2.get('second', { session: first.session });
    const third = await n3.get('first', { session: sessionOf(second) });
    expect(await third.text()).toBe('a');
  });
});

describe('a replica that was away', () => {
  it('gets what it missed, writes and deletes of all the others', async () => {
    await n1.write('missed delete', 'value', { query: 'w=all' });
    cluster.isolate(n3);
    await Promise.all(Array.from({ length: 40 }, (_, i) => (i % 2 ? n1 : n2).write(`missed ${i}`, `${i}`)));
    await n1.delete('missed delete');
    cluster.heal();
    await cluster.converge();
    for (let i = 0; i < 40; i += 13) expect(await (await n3.get(`missed ${i}`)).text()).toBe(`${i}`);
    expect((await n3.get('missed delete')).status).toBe(404);
  });

  it('learns the writes of a replica that has gone since from one that has them', async () => {
    cluster.isolate(n3);
    await n1.write('inherited', 'value', { query: 'w=2' });
    cluster.isolate(n1);
    cluster.heal();
    cluster.isolate(n1);
    await until('n3 has it', async () => (await n3.get('inherited')).status === 200);
  });

  it('takes requests again with its old data and its old name after a restart', async () => {
    await n2.write('kept', 'value', { query: 'w=all' });
    const { actor } = await n2.cluster();
    const { context } = await n2.write('kept', 'again');
    await cluster.restart(n2);
    expect((await n2.cluster()).actor).toBe(actor);
    expect(await (await n2.get('kept')).text()).toBe('again');
    expect((await n2.write('kept', 'more', { context, query: 'w=all' })).siblings).toBe(1);
  });

  it('is shown as unreachable while it is away, and as up when it is back', async () => {
    const stateAt = async (node: InProcessNode, peer: InProcessNode) =>
      (await node.cluster()).peers.find(({ name }) => name === peer.name)!;
    await cluster.converge();
    cluster.isolate(n3);
    await until('n1 misses n3', async () => (await stateAt(n1, n3)).state === 'unreachable');
    await n1.write('unseen', 'value', { query: 'w=2' });
    expect(await stateAt(n1, n3)).toMatchObject({ state: 'unreachable', lagDots: 1 });
    const metrics = await (await n1.request('/metrics')).text();
    expect(metrics).toMatch(/^quartet_peer_up\{(?=[^}]*peer="n3")[^}]*\} 0$/m);
    expect(metrics).toMatch(/^quartet_peer_lag_dots\{(?=[^}]*peer="n3")[^}]*\} 1$/m);
    // It serves all the while: readiness is about the replica itself.
    expect((await n3.request('/readyz')).status).toBe(200);
    cluster.heal();
    await until('n1 sees n3', async () => (await stateAt(n1, n3)).state === 'up');
    expect(await stateAt(n1, n3)).toMatchObject({ lagDots: 0, missingDots: 0, lagSeconds: 0 });
  });
});

describe('a link that is cut in one direction', () => {
  it('does not keep a write from arriving: who is not told, asks', async () => {
    cluster.cut(n1, n2);
    cluster.cut(n1, n3);
    const { session } = await n1.write('pulled', 'value');
    expect(await (await n2.get('pulled', { session, query: 'timeout=10000' })).text()).toBe('value');
    expect(await (await n3.get('pulled', { session, query: 'timeout=10000' })).text()).toBe('value');
  });
});

describe('a context read at one replica', () => {
  it('is used at another that has not got the value yet, without a conflict', async () => {
    cluster.isolate(n2);
    const written = await n1.write('travelling', 'old');
    const next = await n2.put('travelling', 'new', { context: written.context });
    expect(next.status).toBe(201);
    expect(next.headers.get('Quartet-Siblings')).toBe('1');
    cluster.heal();
    await cluster.converge();
    for (const node of cluster.nodes) {
      expect((await node.siblings('travelling')).siblings).toMatchObject([{ value: 'new' }]);
    }
    expect((await n3.put('travelling', 'last', { context: contextOf(next) })).headers.get('Quartet-Siblings')).toBe(
      '1',
    );
  });
});
