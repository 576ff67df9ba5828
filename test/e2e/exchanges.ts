// Which exchanges show what the examples and the wrong requests of a route do not? By name, so that a failure says which.
// A status, header or code that the OpenAPI document describes and nothing has shown belongs here.

import type { PeerRequest } from '../../src/replication/engine/messages.js';
import { encodeRequest } from '../../src/replication/transport/message-codec.js';
import { container, vector, version } from '../support/clock-arbitraries.js';
import { CONDITIONS } from '../support/conditions.js';
import { toldBy } from '../support/engine-parts.js';
import { contextOf, InProcessNode } from '../support/in-process-node.js';
import type { Recorder } from '../support/recorder.js';
import { until } from '../support/until.js';

type Exchange = (recorder: Recorder, node: InProcessNode) => Promise<unknown>;

const JSON_TYPE = { 'Content-Type': 'application/json' };
const MINIMAL = { Prefer: 'return=minimal' };

/** How each type is changed: the method, the route, a body, and one that it does not take. */
const TYPED = [
  ['post', '/v1/counters/', '{"add":1}', '{"add":"one"}'],
  ['post', '/v1/sets/', '{"add":["a"]}', '{"add":"a"}'],
  ['patch', '/v1/maps/', '{"set":{"a":1}}', '{"set":[]}'],
] as const;

/** A message to `/put_remote`, from n2 to the node of that name. */
export function message(to: string, request: PeerRequest) {
  const body = new Uint8Array(encodeRequest({ from: 'n2', to, message: request }));
  return { headers: { 'Content-Type': 'application/octet-stream' }, body };
}

export const COMPARISON: PeerRequest = { kind: 'compare', ...toldBy('n2', { 'n2.b': 1 }) };
const PULL: PeerRequest = { kind: 'pull', wants: 'dots', since: vector({}) };

export const EXCHANGES: Readonly<Record<string, Exchange>> = {
  'a key is written, again, and with headers only': async (recorder, node) => {
    await recorder.ask(node, 'put', '/v1/kv/new', { body: 'first' });
    await recorder.ask(node, 'put', '/v1/kv/new', { body: 'second' });
    await recorder.ask(node, 'put', '/v1/kv/new', { body: 'third', headers: MINIMAL });
  },

  'a write is not acknowledged in time': async (recorder, node) => {
    const query = '?w=all&timeout=0';
    await recorder.ask(node, 'put', `/v1/kv/lonely${query}`, { body: 'value' });
    await recorder.ask(node, 'put', `/v1/kv/lonely${query}`, { body: 'value', headers: MINIMAL });
    const stale = contextOf(await node.get('lonely'));
    await node.write('lonely', 'sibling', { context: contextOf(await node.get('lonely')) });
    await recorder.ask(node, 'delete', `/v1/kv/lonely${query}`, { headers: { 'Quartet-Context': stale } });
    await recorder.ask(node, 'delete', `/v1/kv/lonely${query}`, { headers: MINIMAL });
  },

  'a read of several replicas gets too few answers': async (recorder, node) => {
    await recorder.ask(node, 'get', '/v1/kv/lonely?r=all&timeout=0');
    const failed = await CONDITIONS['whose disk has failed']!(async () => {});
    await recorder.ask(failed.node, 'get', '/v1/kv/lonely?r=all&timeout=0');
    await failed.remove();
  },

  'a request with a name comes again, and its name is used for another': async (recorder, node) => {
    const headers = { 'Idempotency-Key': 'name' };
    const names = { ...headers, ...MINIMAL };
    for (const query of ['', '?w=all&timeout=0']) {
      for (let times = 0; times < 2; times++) {
        await recorder.ask(node, 'put', `/v1/kv/named${query}`, { body: 'value', headers });
        await recorder.ask(node, 'put', `/v1/kv/named${query}`, { body: 'value', headers: names });
        await recorder.ask(node, 'delete', `/v1/kv/named deleted${query}`, { headers });
      }
    }
    await recorder.ask(node, 'put', '/v1/kv/named', { body: 'other', headers });
    await recorder.ask(node, 'delete', '/v1/kv/named', { headers });
  },

  'an operation with a name comes again, and its name is used for another': async (recorder, node) => {
    const headers = { 'Idempotency-Key': 'name', ...JSON_TYPE };
    for (const [method, prefix, body] of TYPED) {
      const path = `${prefix}named by ${prefix.slice(4, -1)}, `;
      for (const query of ['', '?w=all&timeout=0']) {
        for (let times = 0; times < 2; times++) {
          await recorder.ask(node, method, `${path}key${query}`, { body, headers });
          await recorder.ask(node, method, `${path}key${query}`, { body, headers: { ...headers, ...MINIMAL } });
          await recorder.ask(node, 'delete', `${path}gone${query}`, { headers });
        }
      }
      await recorder.ask(node, method, `${path}key`, { body: ` ${body}`, headers });
      await recorder.ask(node, 'delete', `${path}key`, { headers });
      await node.request(`${path}key`, { method: 'DELETE' });
    }
  },

  'a typed key is deleted as it was read, not acknowledged in time, while more was written': async (recorder, node) => {
    for (const [method, path, body] of TYPED) {
      const read = await node.request(`${path}raced typed`);
      await node.request(`${path}raced typed`, { method: method.toUpperCase(), headers: JSON_TYPE, body });
      const headers = { 'Quartet-Context': contextOf(read) };
      await recorder.ask(node, 'delete', `${path}raced typed?w=all&timeout=0`, { headers });
      await recorder.ask(node, 'delete', `${path}raced typed?w=all&timeout=0`, { headers: MINIMAL });
    }
  },

  'a key has siblings, and is known already': async (recorder, node) => {
    const context = contextOf(await node.get('raced'));
    await node.write('raced', 'one', { context });
    await recorder.ask(node, 'get', '/v1/kv/raced?siblings=all');
    await node.write('raced', 'other', { context });
    await recorder.ask(node, 'get', '/v1/kv/raced?siblings=all');
    const { headers } = await recorder.ask(node, 'get', '/v1/kv/raced');
    await recorder.ask(node, 'get', '/v1/kv/raced', { headers: { 'If-None-Match': headers.get('etag')! } });
    await recorder.ask(node, 'get', '/get?key=raced');
  },

  'a key is not there': async (recorder, node) => {
    await recorder.ask(node, 'get', '/v1/kv/absent');
    await recorder.ask(node, 'get', '/get?key=absent');
    await recorder.ask(node, 'put', '/v1/kv/absent', { body: 'x', headers: { 'If-Match': '*' } });
  },

  'a key is in another state than the request demands': async (recorder, node) => {
    await node.write('demanded', 'value');
    await recorder.ask(node, 'put', '/v1/kv/demanded', { body: 'x', headers: { 'If-None-Match': '*' } });
    await recorder.ask(node, 'get', '/v1/kv/demanded', { headers: { 'If-Match': '"x"' } });
    await recorder.ask(node, 'delete', '/v1/kv/demanded', { headers: { 'If-Match': '"x"' } });
  },

  'a key has as many siblings as it may have': async (recorder, node) => {
    const context = contextOf(await node.get('crowded'));
    for (let i = 0; i < 64; i++) await node.write('crowded', `${i}`, { context });
    const headers = { 'Quartet-Context': context };
    await recorder.ask(node, 'put', '/v1/kv/crowded', { body: 'one more', headers });
  },

  'a counter, a set or a map is made, changed, read, known already, and deleted': async (recorder, node) => {
    for (const [method, path, body, wrong] of TYPED) {
      const url = `${path}changed`;
      const options = { headers: JSON_TYPE, body };
      await recorder.ask(node, method, url, options);
      await recorder.ask(node, method, url, options);
      await recorder.ask(node, method, url, { ...options, headers: { ...JSON_TYPE, ...MINIMAL } });
      await recorder.ask(node, method, url, { ...options, body: wrong });
      await recorder.ask(node, method, url, { ...options, headers: { ...JSON_TYPE, 'Quartet-Context': 'any' } });
      await recorder.ask(node, method, url, { ...options, headers: { ...JSON_TYPE, 'If-None-Match': '*' } });
      await recorder.ask(node, method, `${url}?w=all&timeout=0`, options);
      await recorder.ask(node, method, `${url}?w=all&timeout=0`, { ...options, headers: { ...JSON_TYPE, ...MINIMAL } });
      const { headers } = await recorder.ask(node, 'get', url);
      await recorder.ask(node, 'get', `${url}?siblings=all`);
      await recorder.ask(node, 'get', url, { headers: { 'If-None-Match': headers.get('etag')! } });
      await recorder.ask(node, 'get', url, { headers: { 'If-Match': '"x"' } });
      await recorder.ask(node, 'get', `${url}?r=all&timeout=0`);
      await recorder.ask(node, 'delete', url, { headers: { 'If-Match': '"x"' } });
      const stale = { 'Quartet-Context': headers.get('quartet-context')! };
      await node.request(url, { method: method.toUpperCase(), ...options });
      await recorder.ask(node, 'delete', `${url}?w=all&timeout=0`, { headers: stale });
      await recorder.ask(node, 'delete', `${url}?w=all&timeout=0`, { headers: MINIMAL });
      await recorder.ask(node, 'get', url);
      const large = JSON.stringify({ add: 'x'.repeat(1024 * 1024) });
      await recorder.ask(node, method, url, { headers: JSON_TYPE, body: large });
    }
    const failed = await CONDITIONS['whose disk has failed']!(async () => {});
    for (const [, path] of TYPED) await recorder.ask(failed.node, 'get', `${path}changed?r=all&timeout=0`);
    await failed.remove();
  },

  'a key has another type': async (recorder, node) => {
    await node.write('plain', 'text');
    for (const [method, path, body] of TYPED) {
      await recorder.ask(node, 'get', `${path}plain`);
      await recorder.ask(node, method, `${path}plain`, { headers: JSON_TYPE, body });
      await recorder.ask(node, 'delete', `${path}plain`);
    }
    await recorder.ask(node, 'post', '/v1/counters/counted', { headers: JSON_TYPE, body: '{"add":1}' });
    await recorder.ask(node, 'get', '/v1/kv/counted');
    await recorder.ask(node, 'put', '/v1/kv/counted', { body: 'text' });
    await recorder.ask(node, 'delete', '/v1/kv/counted');
    await recorder.ask(node, 'get', '/get?key=counted');
    for (const method of ['put', 'post']) await recorder.ask(node, method, '/put?key=counted&value=text');
  },

  'types raced for one key': async (recorder, node) => {
    const clock = vector({ 'n2.typed': 4 });
    const versions = [
      version('n2.typed', 1, 'text'),
      { ...version('n2.typed', 2, '7'), type: 'counter' as const, contentType: '' },
      { ...version('n2.typed', 3, ''), type: 'set' as const, part: 'element', contentType: '' },
      { ...version('n2.typed', 4, '{}'), type: 'map' as const, part: 'field', contentType: '' },
    ];
    const key = 'raced types';
    const batch = {
      clock,
      ranges: [{ actor: 'n2.typed', from: 0, keys: [key, key, key, key] }],
      containers: new Map([[key, container(versions, vector({}))]]),
      exact: undefined,
      past: vector({}),
    };
    await recorder.ask(node, 'post', '/put_remote', message('n1', { kind: 'push', batch }));
    for (const path of ['/v1/kv/', ...TYPED.map(([, each]) => each)]) {
      await recorder.ask(node, 'get', `${path}${key}`);
      await recorder.ask(node, 'get', `${path}${key}?siblings=all`);
    }
    await recorder.ask(node, 'get', '/v1/kv?values=true');
    await recorder.ask(node, 'delete', `/v1/maps/${key}`);
  },

  'a value has a lifetime': async (recorder, node) => {
    await recorder.ask(node, 'put', '/v1/kv/mortal?ttl=3600', { body: 'value' });
    await recorder.ask(node, 'put', '/v1/kv/mortal?ttl=0', { body: 'value' });
    await recorder.ask(node, 'get', '/v1/kv/mortal?siblings=all');
    await recorder.ask(node, 'get', '/v1/snapshot');
  },

  'a listing is a page, or lines, with values or without': async (recorder, node) => {
    await node.write('listed', 'text', { contentType: 'text/plain' });
    await node.put('listed bytes', Uint8Array.of(0xff));
    const lines = { headers: { Accept: 'application/x-ndjson' } };
    for (const query of ['', '?values=true', '?limit=1']) {
      await recorder.ask(node, 'get', `/v1/kv${query}`);
      await recorder.ask(node, 'get', `/v1/kv${query}`, lines);
    }
  },

  'changes are polled, waited for and streamed, with values or without': async (recorder, node) => {
    await node.write('changed', 'text', { contentType: 'text/plain' });
    await node.put('changed bytes', Uint8Array.of(0xff));
    await node.delete('listed');
    for (const feed of ['poll', 'longpoll', 'eventsource']) {
      await recorder.ask(node, 'get', `/v1/changes?feed=${feed}&limit=1000`);
      await recorder.ask(node, 'get', `/v1/changes?feed=${feed}&limit=1000&values=true`);
    }
  },

  'changes are asked for that the log no longer has, or by too many': async (recorder) => {
    const crowded = await InProcessNode.start({ feedReadersMax: 0 });
    await crowded.write('a', 'value');
    await until('the log is empty', async () => (await crowded.cluster()).log.entries === 0);
    await recorder.ask(crowded, 'get', '/v1/changes');
    await recorder.ask(crowded, 'get', '/v1/changes?feed=longpoll');
    await crowded.remove();
  },

  'a batch is an array or lines, acknowledged or not, and some of it cannot be done': async (recorder, node) => {
    await node.put('batched bytes', Uint8Array.of(0xff));
    const operations = [
      { op: 'put', key: 'batched', value: 'text' },
      { op: 'get', key: 'batched bytes' },
      { op: 'get', key: 'never' },
      { op: 'delete', key: 'batched' },
      { op: 'put', key: 'batched', value: 'named', idempotencyKey: 'name' },
      { op: 'frobnicate', key: 'batched' },
      null,
    ];
    const lines = operations.map((operation) => JSON.stringify(operation)).join('\n');
    const ndjson = { 'Content-Type': 'application/x-ndjson' };
    for (const query of ['', '?w=all&timeout=0']) {
      await recorder.ask(node, 'post', `/v1/batch${query}`, { headers: JSON_TYPE, body: JSON.stringify(operations) });
      await recorder.ask(node, 'post', `/v1/batch${query}`, { headers: ndjson, body: lines });
    }
    await recorder.ask(node, 'post', '/v1/batch', { headers: JSON_TYPE, body: '{}' });
    await recorder.ask(node, 'post', '/v1/batch', { headers: ndjson, body: '0\n'.repeat(10_001) });
    await recorder.ask(node, 'post', '/v1/batch', { headers: { ...JSON_TYPE, 'If-Match': '*' }, body: '[]' });
  },

  'the original interface gets what it does not take': async (recorder, node) => {
    for (const method of ['put', 'post']) {
      await recorder.ask(node, method, '/put?key=&value=x');
      await recorder.ask(node, method, `/put?key=${'k'.repeat(1025)}&value=x`);
      await recorder.ask(node, method, '/put', { body: '[]', headers: JSON_TYPE });
      await recorder.ask(node, method, '/put?key=a&value=b', { headers: { 'If-Match': '*' } });
      await recorder.ask(node, method, '/put', { body: 'x', headers: { 'Content-Type': 'text/plain' } });
      await recorder.ask(node, method, '/put', {
        body: 'key=a&value=b',
        headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      });
    }
    await recorder.ask(node, 'get', '/get?key=');
    await recorder.ask(node, 'get', '/get?key=a', { headers: { 'Quartet-Session': 'any' } });
    await recorder.ask(node, 'get', `/get?key=${'k'.repeat(1025)}`);
  },

  'a member cannot be removed': async (recorder, node) => {
    await recorder.ask(node, 'delete', '/v1/cluster/members/n7');
    await recorder.ask(node, 'delete', '/v1/cluster/members/n1');
  },

  'a replica gets a large answer, and sends what is no message for this one': async (recorder, node) => {
    await node.write('large', 'x'.repeat(100_000));
    await recorder.ask(node, 'post', '/put_remote', message('n1', PULL));
    await recorder.ask(node, 'post', '/put_remote', message('n1', { kind: 'pull-keys', after: 'larg' }));
    const { headers, body } = message('n1', COMPARISON);
    await recorder.ask(node, 'post', '/put_remote', { headers, body: body.subarray(0, -1) });
    await recorder.ask(node, 'post', '/put_remote', { headers, body: Uint8Array.of(99, ...body.subarray(1)) });
    await recorder.ask(node, 'post', '/put_remote', message('n8', COMPARISON));
  },

  'a replica asks for keys whose records are damaged': async (recorder) => {
    const damaged = await CONDITIONS['whose records are damaged']!(async (node) => void (await node.put('a', 'value')));
    const pullKeys: PeerRequest = { kind: 'pull-keys', after: undefined };
    await recorder.ask(damaged.node, 'post', '/put_remote', message('n1', pullKeys));
    await damaged.remove();
  },

  'a replica pushes to one whose disk is nearly full, and compares clocks with it': async (recorder) => {
    const full = await CONDITIONS['whose disk is nearly full']!(async () => {});
    const batch = { clock: vector({}), ranges: [], containers: new Map(), exact: undefined, past: vector({}) };
    await recorder.ask(full.node, 'post', '/put_remote', message('n1', { kind: 'push', batch }));
    await recorder.ask(full.node, 'post', '/put_remote', message('n1', COMPARISON));
    await full.remove();
  },

  'a replica shows another secret': async (recorder) => {
    const guarded = await InProcessNode.start({ clusterSecret: 'secret' });
    const { headers, body } = message('n1', COMPARISON);
    const options = { headers: { ...headers, Authorization: 'Bearer guess' }, body };
    await recorder.ask(guarded, 'post', '/put_remote', options);
    await guarded.remove();
  },

  // Last: so many dots change how replicas that lack them are answered.
  'a set or a map would have more parts than a key may have': async (recorder, node) => {
    const parts = Array.from({ length: 10_000 }, (_, place) => `${place}`);
    const fields = Object.fromEntries(parts.map((part) => [part, 0]));
    const full = { set: { add: parts }, map: { set: fields } };
    await recorder.ask(node, 'post', '/v1/sets/full', { headers: JSON_TYPE, body: JSON.stringify(full.set) });
    await recorder.ask(node, 'patch', '/v1/maps/full map', { headers: JSON_TYPE, body: JSON.stringify(full.map) });
    await recorder.ask(node, 'post', '/v1/sets/full', { headers: JSON_TYPE, body: '{"add":["one more"]}' });
    await recorder.ask(node, 'patch', '/v1/maps/full map', { headers: JSON_TYPE, body: '{"set":{"one more":0}}' });
    for (const path of ['/v1/sets/full', '/v1/maps/full map']) await recorder.ask(node, 'delete', path);
  },
};

/** What is described and can't be shown here. */
export const UNSEEN: readonly (readonly [what: RegExp, reason: string])[] = [
  [/ 500$/, 'no error is known that no layer has a name for'],
  [/^post \/put_remote 429$/, 'replicas have half a gigabyte for their messages'],
  [/^head \/v1\/changes 429$/, 'a HEAD waits for nothing'],
];
