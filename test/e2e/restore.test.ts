// Does a backup bring everything back, and nothing that is not true? Snapshots are restored by the command itself, into
// folders that nodes then start from.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { cp, mkdir, open, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { runCommand, type Streams } from '../../src/cli/command-line.js';
import { Tokens } from '../../src/controllers/http/tokens.js';
import { versionsKey } from '../../src/store/keyspace.js';
import { LevelStore } from '../../src/store/level/level-store.js';
import { compileSource } from '../support/compiled-source.js';
import { startCluster } from '../support/in-process-cluster.js';
import { contextOf, InProcessNode } from '../support/in-process-node.js';
import { temporaryFolder, type TemporaryFolder } from '../support/temporary-folder.js';
import { until } from '../support/until.js';

/** Taken by the first release that could: every later one reads it. */
const OF_VERSION_1 = `\
{"quartet":"snapshot","version":1,"node":"n1","actor":"n1.t8k2xq7ab","clock":{"n1.t8k2xq7ab":3,"n2.t8k2xq9cd":1},"takenAt":"2026-01-01T12:00:00.000Z"}
{"key":"bytes","versions":[{"actor":"n1.t8k2xq7ab","counter":3,"stamp":1767268800000002,"contentType":"application/octet-stream","base64":"/wA="}]}
{"key":"gone","versions":[],"context":{"n2.t8k2xq9cd":4}}
{"key":"raced","versions":[{"actor":"n1.t8k2xq7ab","counter":2,"stamp":1767268800000001,"contentType":"text/plain","value":"left"},{"actor":"n2.t8k2xq9cd","counter":1,"stamp":1767268800000000,"contentType":"text/plain","value":"right"}]}
{"end":true,"keys":3,"sha256":"86bc32c476269b97dbb1ecac24390e65174a219c3fec332b6dd5c3dd3a020b62"}
`;

/** Every test opens databases, and most start nodes. */
jest.setTimeout(30_000);

let folder: TemporaryFolder;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** `quartet` with these arguments, and perhaps with something piped in. */
async function quartet(
  args: readonly string[],
  piped?: Readable,
  signal = new AbortController().signal,
): Promise<Said> {
  const said = { out: '', err: '' };
  const streams: Streams = {
    stdin: piped ?? Object.assign(new PassThrough(), { isTTY: true }),
    stdout: { write: (text) => (said.out += text) },
    stderr: { write: (text) => (said.err += text) },
  };
  const code = await runCommand(args, streams, signal);
  return { code, ...said };
}

async function restore(snapshot: string | Uint8Array, data = join(folder.path, 'data'), name = 'n1'): Promise<Said> {
  const file = join(folder.path, 'snapshot');
  await writeFile(file, snapshot);
  return quartet(['restore', '--data', data, '--name', name, '--file', file]);
}

/** Is it whole? Asked of the same file. */
async function check(snapshot: string | Uint8Array): Promise<Said> {
  const file = join(folder.path, 'snapshot');
  await writeFile(file, snapshot);
  return quartet(['check', '--file', file]);
}

async function take(node: InProcessNode): Promise<string> {
  const response = await node.request('/v1/snapshot');
  expect(response.status).toBe(200);
  return response.text();
}

/** A node that starts from what was restored. */
function started(name = 'n1'): Promise<InProcessNode> {
  return InProcessNode.start({ name, data: join(folder.path, 'data') });
}

/** The first line without who took it, when and with which release, and all the others as they are. */
function comparable(snapshot: string): string {
  const end = snapshot.indexOf('\n');
  const {
    node: _node,
    actor: _actor,
    takenAt: _takenAt,
    version: _version,
    ...known
  } = JSON.parse(snapshot.slice(0, end));
  return JSON.stringify(known) + snapshot.slice(end);
}

interface Parts {
  readonly clock?: Readonly<Record<string, number>>;
  readonly claims?: readonly unknown[];
  readonly header?: object;
  readonly keys?: readonly unknown[];
  readonly end?: object;
}

const ACTOR = 'n1.one';

/** A snapshot whose digest is right, whatever else may be wrong with it. */
function snapshotOf({ clock = { [ACTOR]: 9 }, claims, header, keys = [keyOf('a', 1)], end }: Parts): string {
  const known = { clock, ...(claims && { claims }) };
  const lines = keys.map((key) => `${JSON.stringify(key)}\n`);
  const digest = createHash('sha256')
    .update(`${JSON.stringify(known)}\n`)
    .update(lines.join(''));
  const first = { quartet: 'snapshot', version: 1, node: 'n1', actor: ACTOR, takenAt: new Date(0).toISOString() };
  const last = { end: true, keys: keys.length, sha256: digest.digest('hex'), ...end };
  return [JSON.stringify({ ...first, ...known, ...header }), '\n', ...lines, JSON.stringify(last), '\n'].join('');
}

function versionOf(counter: number, other: object = {}): object {
  return { actor: ACTOR, counter, stamp: 1, contentType: 'text/plain', value: 'v', ...other };
}

function keyOf(key: string, counter: number, other: object = {}): object {
  return { key, versions: [versionOf(counter, other)] };
}

describe('a snapshot that is restored into a folder without a database', () => {
  it('is the same node again but for its actor: its own snapshot is the same', async () => {
    const node = await InProcessNode.start();
    const other = await InProcessNode.start({ name: 'n2' });
    const keys = [
      '\n',
      '"quoted" \\',
      'a',
      'a/b',
      'a\u0300',
      '\ufeffmark',
      '\u{ff5e}',
      '😀',
      '\u{10ffff}',
      'x'.repeat(1024),
    ];
    for (const key of keys) await node.put(key, `line\nof ${key}`, { contentType: 'text/plain; charset=utf-8' });
    await node.put('bytes', new Uint8Array([0xff, 0xfe, 0, 10, 13]), { contentType: 'image/x' });
    await node.put('empty', '');
    await node.put('large', 'large'.repeat(200_000));
    await node.put('brief', 'value', { query: 'ttl=3600' });
    const change = (method: string, path: string, body: object) =>
      node.request(path, { method, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
    for (const add of [5, '12345678901234567890', -7]) await change('POST', '/v1/counters/sum', { add });
    await change('POST', '/v1/sets/set', { add: ['', 'a', '😀'], remove: ['b'] });
    await change('PATCH', '/v1/maps/map', { set: { '': null, field: { deep: [1.5, 'x'] } } });
    await node.put('deleted', 'gone');
    await node.delete('deleted');
    const { context } = await node.write('raced', 'seen by both');
    for (const value of ['left', 'right', 'middle']) await node.put('raced', value, { context });
    // These know more than the clock: their contexts come from elsewhere.
    for (const key of ['ahead', 'ahead and deleted']) await other.put(key, 'elsewhere');
    await node.put('ahead', 'here', { context: contextOf(await other.get('ahead')) });
    await node.delete('ahead and deleted', { context: contextOf(await other.get('ahead and deleted')) });
    const before = await take(node);
    const { actor, clock } = await node.cluster();
    const siblings = await node.siblings('raced');
    await Promise.all([node.remove(), other.remove()]);

    expect(await check(before)).toMatchObject({ code: 0, err: '' });
    const { code, out, err } = await restore(before);
    expect([code, err]).toEqual([0, '']);
    const again = await started();
    const after = await again.cluster();
    expect(out).toContain(`${before.split('\n').length - 3} keys of n1`);
    expect(out).toContain(after.actor);
    expect(after.clock).toEqual(clock);
    expect(after.actor).toMatch(/^n1\./);
    expect(after.actor).not.toBe(actor);
    expect(comparable(await take(again))).toBe(comparable(before));
    expect((await again.siblings('raced')).siblings).toEqual(siblings.siblings);
    const bytes = await again.get('bytes');
    expect(bytes.headers.get('Content-Type')).toBe('image/x');
    expect(new Uint8Array(await bytes.arrayBuffer())).toEqual(new Uint8Array([0xff, 0xfe, 0, 10, 13]));
    expect((await again.get('deleted')).status).toBe(404);
    expect(await (await again.request('/v1/counters/sum')).text()).toBe('"12345678901234567888"');
    expect(await (await again.request('/v1/sets/set')).json()).toEqual(['', 'a', '😀']);
    expect(await (await again.request('/v1/maps/map')).json()).toEqual({ '': null, field: { deep: [1.5, 'x'] } });
    await again.remove();
  });

  it('goes on from there: with new dots, and after every stamp that it has', async () => {
    const stamp = (Date.now() + 30_000) * 1000;
    expect(await restore(snapshotOf({ keys: [keyOf('a', 1, { stamp })] }))).toMatchObject({ code: 0 });
    const node = await started();
    const { actor } = await node.cluster();
    expect((await node.write('a', 'new')).dot).toBe(`${actor}:1`);
    expect(await node.clock()).toEqual({ [ACTOR]: 9, [actor]: 1 });
    const { versions } = JSON.parse((await take(node)).split('\n')[1]!);
    expect(versions).toMatchObject([{ actor, counter: 1, value: 'new' }]);
    expect(versions[0].stamp).toBeGreaterThan(stamp);
    await node.restart();
    expect(await (await node.get('a')).text()).toBe('new');
    await node.remove();
  });

  it('does not follow a stamp that a wrong clock has made', async () => {
    const stamp = Number.MAX_SAFE_INTEGER;
    expect(await restore(snapshotOf({ keys: [keyOf('a', 1, { stamp })] }))).toMatchObject({ code: 0 });
    const node = await started();
    await node.write('b', 'new');
    const { versions } = JSON.parse((await take(node)).split('\n')[2]!);
    expect(Math.abs(versions[0].stamp / 1000 - Date.now())).toBeLessThan(60_000);
    await node.remove();
  });

  it('shows the last deadline that there can be as a date', async () => {
    const keys = [keyOf('a', 1, { deadlineMs: 8.64e15 })];
    expect(await restore(snapshotOf({ header: { version: 2 }, keys }))).toMatchObject({ code: 0, err: '' });
    const node = await started();
    expect((await node.siblings('a')).siblings).toMatchObject([{ expires: '+275760-09-13T00:00:00.000Z' }]);
    await node.remove();
  });

  it('may have been taken while its node took over all keys of another, which is told', async () => {
    const claims = [
      { through: 'm', clock: { 'n2.two': 7 } },
      { through: 'p', clock: {} },
      { clock: { 'n3.three': 2 } },
    ];
    const keys = [keyOf('a', 7, { actor: 'n2.two' }), keyOf('n', 1), keyOf('q', 2, { actor: 'n3.three' })];
    const snapshot = snapshotOf({ claims, keys });
    const taking = snapshotOf({ claims, keys, header: { takingOver: true } });
    const { code, err } = await restore(taking);
    expect([code, err]).toEqual([0, expect.stringMatching(/^quartet restore: .*n1 was taking over.* lack keys.*\n$/)]);
    const node = await started();
    expect(comparable(await take(node))).toBe(comparable(snapshot));
    expect(await node.clock()).toEqual({ [ACTOR]: 9 });
    await node.remove();
  });

  it('tells readers from before of ends that the snapshot has, and sends those who are further back to the list', async () => {
    const nowMs = Date.now();
    const cursorOf = (wallMs: number): string => {
      return new Tokens(undefined).cursor({ clock: new Map([[ACTOR, 9]]), ended: { wallMs, key: '' } });
    };
    // What ended before this was dropped, deadline and all, before the snapshot was taken.
    const long = cursorOf(nowMs - 600_000);
    const recent = cursorOf(nowMs - 40_000);
    const snapshot = snapshotOf({ keys: [keyOf('brief', 1, { deadlineMs: nowMs - 20_000 }), keyOf('kept', 2)] });
    expect(await restore(snapshot)).toMatchObject({ code: 0 });
    const node = await InProcessNode.start({ data: join(folder.path, 'data'), feedRetentionSeconds: 3600 });
    try {
      for (const life of ['first', 'second']) {
        const told = await node.request(`/v1/changes?since=${recent}`);
        const { entries } = (await told.json()) as { entries: object[] };
        expect(entries).toContainEqual(expect.objectContaining({ op: 'expire', key: 'brief' }));
        const refused = await node.request(`/v1/changes?since=${long}`);
        expect([life, refused.status]).toEqual([life, 410]);
        await node.write('kept', `of the ${life} life`);
        await node.restart();
      }
    } finally {
      await node.remove();
    }
  });

  it('is rid of what ended long ago though nobody reads it, and nothing looks over what is stored', async () => {
    const deadlineMs = Date.now() - 240_000;
    const snapshot = snapshotOf({
      header: { version: 2 },
      keys: [keyOf('ended', 1, { deadlineMs }), keyOf('kept', 2)],
    });
    expect(await restore(snapshot)).toMatchObject({ code: 0 });
    const data = join(folder.path, 'data');
    const node = await InProcessNode.start({ data, scrubKeysPerSecond: 0 });
    try {
      await until('it has dropped one version', async () => (await node.metric('quartet_expired_total')) === 1);
    } finally {
      await node.remove();
    }
    const store = await LevelStore.open(join(data, 'level'));
    const onDisk = store.snapshot();
    const isThere = ['ended', 'kept'].map((key) => onDisk.get(versionsKey(key)) !== undefined);
    onDisk.close();
    await store.close();
    expect(isThere).toEqual([false, true]);
  });

  it('may have more keys than one commit', async () => {
    const keys = Array.from({ length: 9001 }, (_, i) => keyOf(`key ${String(i).padStart(5, '0')}`, i + 1));
    const snapshot = snapshotOf({ clock: { [ACTOR]: 9001 }, keys });
    expect(await restore(snapshot)).toMatchObject({ code: 0 });
    const node = await started();
    expect(comparable(await take(node))).toBe(comparable(snapshot));
    await node.remove();
  });

  it('may be empty, and may be of another node', async () => {
    const snapshot = snapshotOf({ clock: {}, keys: [] });
    expect(await restore(snapshot, undefined, 'seed')).toMatchObject({ code: 0 });
    const node = await started('seed');
    expect((await node.cluster()).actor).toMatch(/^seed\./);
    expect(comparable(await take(node))).toBe(comparable(snapshot));
    await node.remove();
  });

  it('may be of any release before this one', async () => {
    expect(await restore(OF_VERSION_1)).toMatchObject({ code: 0, err: '' });
    const node = await started();
    expect(comparable(await take(node))).toBe(comparable(OF_VERSION_1));
    await node.remove();
  });

  it('goes where the database of a killed node without synced writes was moved away, and nothing else is left', async () => {
    const node = await InProcessNode.start({ durability: 'may-lose-writes-on-power-loss' });
    await node.write('a', 'value');
    const snapshot = await take(node);
    // What the folder has while the node runs is what `kill -9` leaves.
    const data = join(folder.path, 'data');
    await cp(node.config.data, data, { recursive: true });
    await node.remove();
    await rename(join(data, 'level'), join(folder.path, 'moved away'));
    expect(await readdir(data)).toEqual(['opened-without-sync']);

    expect((await restore(snapshot.slice(0, -10))).code).toBe(1);
    expect(await readdir(data)).toEqual(['opened-without-sync']);
    const { code, out } = await restore(snapshot);
    expect(code).toBe(0);
    expect(await readdir(data)).toEqual(['level']);
    const restored = await started();
    expect(out).toContain(`n1 is ${(await restored.cluster()).actor}.`);
    expect(await (await restored.get('a')).text()).toBe('value');
    await restored.remove();
  });

  it('goes into a folder that is there, or makes it, however deep', async () => {
    const there = join(folder.path, 'there');
    await mkdir(join(there, 'lost+found'), { recursive: true });
    expect(await restore(snapshotOf({}), there)).toMatchObject({ code: 0 });
    expect((await readdir(there)).sort()).toEqual(['level', 'lost+found']);
    const deep = join(folder.path, 'a', 'b', 'c');
    expect(await restore(snapshotOf({}), deep)).toMatchObject({ code: 0 });
    expect(await readdir(deep)).toEqual(['level']);
  });
});

describe('a snapshot that is checked before anything is given up for it', () => {
  it('is whole: that is told with its keys, its node and its time, and nothing is touched', async () => {
    expect(await check(OF_VERSION_1)).toEqual({
      code: 0,
      out: 'The snapshot is whole: 3 keys of n1 as of 2026-01-01T12:00:00.000Z.\n',
      err: '',
    });
    expect(await quartet(['check'], Readable.from([Buffer.from(OF_VERSION_1)]))).toMatchObject({ code: 0, err: '' });
    expect(await readdir(folder.path)).toEqual(['snapshot']);
  });

  it('is refused when it was taken while its node took over all keys of another, though it can be restored', async () => {
    const snapshot = snapshotOf({ claims: [{ clock: { 'n2.two': 7 } }], header: { takingOver: true } });
    expect(await restore(snapshot)).toMatchObject({ code: 0 });
    const { code, out, err } = await check(snapshot);
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(/^quartet check: n1 was taking over .* it may lack keys .*\n$/);
  });

  it('may have claims of what only a member knew that has been away since: nobody has more', async () => {
    expect(await check(snapshotOf({ claims: [{ clock: { 'n2.two': 7 } }] }))).toMatchObject({ code: 0, err: '' });
  });

  it('is refused when its node knew of no write, as one does that has lost its disk and found nobody', async () => {
    const complaint = 'quartet check: n1 knew of no write when the snapshot was taken\n';
    expect(await check(snapshotOf({ clock: {}, keys: [] }))).toEqual({ code: 1, out: '', err: complaint });
  });

  it('may have no keys when all were deleted', async () => {
    expect(await check(snapshotOf({ keys: [] }))).toMatchObject({
      code: 0,
      out: expect.stringContaining(' 0 keys of n1'),
    });
  });
});

describe('a restored node among others that went on', () => {
  it.each([
    ['whose logs may reach back', 1_000_000],
    ['whose logs never do', 0],
  ])(
    '%s: gets what it missed, and brings nothing back that was deleted meanwhile',
    async (_which, logMax) => {
      const cluster = await startCluster(3, { logMax });
      const [n1, n2, n3] = cluster.nodes as [InProcessNode, InProcessNode, InProcessNode];
      try {
        for (const key of ['kept', 'deleted', 'edited', 'deleted by n1'])
          await n1.write(key, 'before', { query: 'w=all' });
        await cluster.converge();
        const snapshot = await take(n1);
        await n2.delete('deleted');
        await n3.write('edited', 'after');
        await n1.delete('deleted by n1');
        await n1.write('new of n1', 'after');
        await cluster.converge();

        await n1.stop();
        await n2.write('while n1 was away', 'after');
        expect(await restore(snapshot)).toMatchObject({ code: 0 });
        await cluster.restart(n1, { data: join(folder.path, 'data') });
        await cluster.converge();
        await n1.write('new of the new n1', 'after', { query: 'w=all' });
        await cluster.converge();
        for (const node of cluster.nodes) {
          const keys = (await take(node)).split('\n').slice(1, -2);
          const found = keys
            .map((line) => JSON.parse(line))
            .map(({ key, versions }) => [key, versions.length, versions[0]?.value]);
          expect(found).toEqual([
            ['edited', 1, 'after'],
            ['kept', 1, 'before'],
            ['new of n1', 1, 'after'],
            ['new of the new n1', 1, 'after'],
            ['while n1 was away', 1, 'after'],
          ]);
        }
      } finally {
        await cluster.remove();
      }
    },
    60_000,
  );

  it('gives everything to nodes that begin with nothing', async () => {
    const keys = Array.from({ length: 50 }, (_, i) => keyOf(`key ${String(i).padStart(2, '0')}`, i + 1));
    const snapshot = snapshotOf({ clock: { [ACTOR]: 50 }, keys });
    const cluster = await startCluster(3);
    const [n1] = cluster.nodes as [InProcessNode];
    try {
      await n1.stop();
      expect(await restore(snapshot)).toMatchObject({ code: 0 });
      await cluster.restart(n1, { data: join(folder.path, 'data') });
      await cluster.converge();
      for (const node of cluster.nodes) expect(comparable(await take(node))).toBe(comparable(snapshot));
    } finally {
      await cluster.remove();
    }
  }, 60_000);
});

describe('a snapshot that cannot be what was taken', () => {
  const good = snapshotOf({ keys: [keyOf('a', 1), keyOf('b', 2)] });

  async function expectRefused(snapshot: string | Uint8Array, complaint: RegExp): Promise<void> {
    const { code, out, err } = await restore(snapshot);
    expect({ code, out, err }).toEqual({ code: 1, out: '', err: expect.stringMatching(complaint) });
    expect(err).toMatch(/^quartet restore: .+\nNothing was restored\.\n$/);
    // In the same words by what looks at it first.
    const [said] = err.split('\n');
    expect(await check(snapshot)).toEqual({ code: 1, out: '', err: `${said!.replace('restore', 'check')}\n` });
    expect(await readdir(folder.path)).toEqual(['snapshot']);
  }

  const invalid: readonly (readonly [what: string, parts: Parts, complaint: RegExp])[] = [
    ['is of another version', { header: { version: 3 } }, /line 1: .*version 3.*reads 1 and 2/],
    ['is something else', { header: { quartet: 'backup' } }, /line 1: a snapshot begins with/],
    ['has an unknown property', { header: { compressed: true } }, /line 1: "compressed" is not known/],
    ['names no node', { header: { node: 'N 1' } }, /line 1: node is not/],
    ['was taken by another node’s actor', { header: { actor: 'n2.one' } }, /line 1: actor is not/],
    ['was taken at no time', { header: { takenAt: 'noon' } }, /line 1: takenAt/],
    ['has a clock that is none', { clock: { [ACTOR]: 0 } }, /line 1: clock of n1\.one is not an integer from 1/],
    ['has a clock of no actor', { clock: { n1: 1 } }, /line 1: clock names something that is no actor/],
    [
      'says of a takeover something else than that it was under way',
      { header: { takingOver: false } },
      /line 1: takingOver is not true/,
    ],
    [
      'has claims in disorder',
      {
        claims: [
          { through: 'b', clock: {} },
          { through: 'a', clock: {} },
        ],
      },
      /line 1: the claims/,
    ],
    ['claims all keys in between', { claims: [{ clock: {} }, { through: 'a', clock: {} }] }, /line 1: a claim on all/],
    ['has keys in another order', { keys: [keyOf('b', 1), keyOf('a', 2)] }, /line 3: the key does not follow/],
    // In the order of JavaScript's strings, which is not that of their bytes.
    ['has keys in the order of UTF-16', { keys: [keyOf('😀', 1), keyOf('\u{ff5e}', 2)] }, /line 3: the key does not/],
    ['has a key twice', { keys: [keyOf('a', 1), keyOf('a', 2)] }, /line 3: the key does not follow/],
    ['has an empty key', { keys: [keyOf('', 1)] }, /line 2: key has 0 bytes/],
    ['has a key that is too long', { keys: [keyOf('é'.repeat(513), 1)] }, /line 2: key has 1026 bytes/],
    ['has half a character', { keys: [keyOf('\ud83d', 1)] }, /line 2: key has half a surrogate pair/],
    ['has a key of nothing', { keys: [{ key: 'a', versions: [] }] }, /line 2: the key has neither/],
    [
      'has a version that nothing covers',
      { keys: [keyOf('a', 10)] },
      /line 2: neither clock nor context covers n1\.one:10/,
    ],
    [
      'has a version twice',
      { keys: [{ key: 'a', versions: [versionOf(1), versionOf(1)] }] },
      /line 2: .*order of their dots/,
    ],
    [
      'has versions in disorder',
      { keys: [{ key: 'a', versions: [versionOf(2), versionOf(1)] }] },
      /line 2: .*order of/,
    ],
    ['counts from 0', { keys: [keyOf('a', 0)] }, /line 2: counter is not an integer from 1/],
    ['counts in halves', { keys: [keyOf('a', 1.5)] }, /line 2: counter is not an integer from 1/],
    ['has a stamp below 0', { keys: [keyOf('a', 1, { stamp: -1 })] }, /line 2: stamp is not an integer/],
    [
      'has a deadline that is no date',
      { header: { version: 2 }, keys: [keyOf('a', 1, { deadlineMs: 8.64e15 + 1 })] },
      /line 2: deadlineMs is not an integer from 0 to 8640000000000000/,
    ],
    ['has a version of no actor', { keys: [keyOf('a', 1, { actor: 'N1' })] }, /line 2: actor is not an actor/],
    [
      'has a content type that no header holds',
      { keys: [keyOf('a', 1, { contentType: 'a\nb' })] },
      /line 2: contentType/,
    ],
    ['has a value that is no text', { keys: [keyOf('a', 1, { value: 1 })] }, /line 2: the value is not a text/],
    ['has a value twice', { keys: [keyOf('a', 1, { base64: 'AA==' })] }, /line 2: a version has either/],
    ['has no value', { keys: [keyOf('a', 1, { value: undefined })] }, /line 2: a version has either/],
    [
      'has base64 that is none',
      { keys: [keyOf('a', 1, { value: undefined, base64: 'A*==' })] },
      /line 2: base64 is not/,
    ],
    [
      'has a value that is too large',
      { keys: [keyOf('a', 1, { value: 'x'.repeat(2 ** 24 + 1) })] },
      /line 2: a value is longer/,
    ],
    ['tells of another number of keys', { end: { keys: 2 } }, /line 3: it tells of 2 keys, and there are 1/],
    ['has another digest', { end: { sha256: '0'.repeat(64) } }, /line 3: the digest is another one/],
  ];
  it.each(invalid)('%s: it is refused, with the line', async (_what, parts, complaint) => {
    await expectRefused(snapshotOf(parts), complaint);
  });

  const broken: readonly (readonly [what: string, text: string | Uint8Array, complaint: RegExp])[] = [
    ['is empty', '', /the snapshot is empty/],
    ['is not JSON', 'key,value\n', /line 1: it is not JSON/],
    ['is a list', '[]\n', /line 1: it is not an object/],
    ['is not UTF-8', Buffer.from(good.replace('"v"', '"\xff"'), 'latin1'), /line 2: it is not UTF-8/],
    ['is compressed', Buffer.from('1f8b080000000000', 'hex'), /line 1: .*cut off/],
    ['has an empty line', good.replace('\n', '\n\n'), /line 2: it is not JSON/],
    ['goes on after its end', `${good}{}\n`, /line 5: something stands behind the end/],
    ['has two ends', `${good}${good.split('\n')[3]}\n`, /line 5: something stands behind the end/],
    ['lacks a key', good.replace(/.*"key":"a".*\n/, ''), /line 3: it tells of 2 keys, and there are 1/],
    ['lacks its end', good.replace(/\{"end".*\n/, ''), /ends after line 3: it was cut off/],
  ];
  it.each(broken)('%s: it is refused', async (_what, text, complaint) => {
    await expectRefused(text, complaint);
  });

  it('was cut off, at whatever place: it is refused', async () => {
    // Without its very last line feed it is whole.
    for (let length = 0; length < good.length - 1; length += 7) {
      await expectRefused(good.slice(0, length), length === 0 ? /empty/ : /cut off/);
    }
    await expectRefused(good.slice(0, -2), /line 4: .*cut off/);
  }, 60_000);

  it('has one changed character, whichever counts: it is refused', async () => {
    // Who took it and when is told to the operator, and nothing depends on it.
    const told = [...good.matchAll(/(?<="node":").*?(?=")|(?<="actor":").*?(?=","takenAt)|(?<="takenAt":").*?(?=")/g)];
    const isTold = (place: number) => told.some(({ index, 0: text }) => place >= index && place < index + text.length);
    for (let place = 0; place < good.length - 1; place += 9) {
      if (isTold(place)) continue;
      const changed = Buffer.from(good);
      changed[place]! ^= 1;
      await expectRefused(changed, /line \d+|cut off/);
    }
  }, 60_000);
});

describe('a folder in which something could be lost', () => {
  it('is refused when a database is there, and that is untouched', async () => {
    const node = await InProcessNode.start();
    await node.write('a', 'value');
    const before = await node.cluster();
    for (const isRunning of [true, false]) {
      if (!isRunning) await node.stop();
      const { code, err } = await restore(snapshotOf({}), node.config.data);
      expect(code).toBe(1);
      expect(err).toMatch(/has a database already: stop its node and move .+level away/);
      expect(await readdir(node.config.data)).toEqual(['level']);
    }
    await node.restart();
    expect((await node.cluster()).actor).toBe(before.actor);
    expect(await (await node.get('a')).text()).toBe('value');
    await node.remove();
  });

  it.each([
    ['another file', 'notes.txt', /has "notes.txt", which is no part of a database: move it away/],
    ['what a killed restore has left', 'level.restoring', /broken off: if none is, remove .+level\.restoring/],
  ])('is refused with %s in it', async (_what, name, complaint) => {
    const data = join(folder.path, 'data');
    await mkdir(data);
    await writeFile(join(data, name), 'precious');
    const { code, err } = await restore(snapshotOf({}));
    expect([code, err]).toEqual([1, expect.stringMatching(complaint)]);
    expect(await readdir(data)).toEqual([name]);
    expect(await readFile(join(data, name), 'utf8')).toBe('precious');
  });

  it('is refused when it is a file', async () => {
    await writeFile(join(folder.path, 'data'), 'precious');
    const { code, err } = await restore(snapshotOf({}));
    expect([code, err]).toEqual([1, expect.stringMatching(/is not a folder/)]);
    expect(await readFile(join(folder.path, 'data'), 'utf8')).toBe('precious');
  });

  it('stays as it was when the snapshot turns out to be bad', async () => {
    await mkdir(join(folder.path, 'data'));
    const many = Array.from({ length: 5000 }, (_, i) => keyOf(`key ${String(i).padStart(5, '0')}`, i + 1));
    const snapshot = snapshotOf({ clock: { [ACTOR]: 5000 }, keys: many, end: { keys: 4999 } });
    expect(await restore(snapshot)).toMatchObject({ code: 1, err: expect.stringMatching(/line 5002/) });
    expect(await readdir(join(folder.path, 'data'))).toEqual([]);
  });
});

describe('a folder that can’t be brought to disk', () => {
  afterEach(() => void jest.restoreAllMocks());

  async function failSyncs(isFailing: () => boolean): Promise<void> {
    const handle = await open(folder.path);
    const handles = Object.getPrototypeOf(handle) as typeof handle;
    await handle.close();
    jest.spyOn(handles, 'sync').mockImplementation(function (this: typeof handle) {
      if (!isFailing()) return this.datasync();
      return Promise.reject(Object.assign(new Error('EIO: i/o error, fsync'), { code: 'EIO' }));
    });
  }

  it('is as it was when the command says that nothing was restored, whatever fails', async () => {
    const data = join(folder.path, 'made', 'too');
    for (let done = 0; ; done++) {
      let syncs = 0;
      await failSyncs(() => ++syncs > done);
      const { code, err } = await restore(snapshotOf({}), data);
      jest.restoreAllMocks();
      if (code === 0) {
        // Of both folders that are made, the one above them, and the database with some files.
        expect(syncs).toBeGreaterThan(6);
        break;
      }
      expect(err).toMatch(/^quartet restore: EIO: i\/o error, fsync\nNothing was restored\.\n$/);
      expect(await readdir(folder.path)).toEqual(['snapshot']);
    }
    expect(await readdir(data)).toEqual(['level']);
  });

  it('has no database when the marker of the one before can’t be removed', async () => {
    const data = join(folder.path, 'data');
    await mkdir(join(data, 'opened-without-sync'), { recursive: true });
    const { code, err } = await restore(snapshotOf({}));
    expect([code, err]).toEqual([1, expect.stringMatching(/\nNothing was restored\.\n$/)]);
    expect(await readdir(data)).toEqual(['opened-without-sync']);
  });

  it('may have a database, and is said to, when that can’t be taken back either', async () => {
    const data = join(folder.path, 'data');
    await failSyncs(() => {
      if (!existsSync(join(data, 'level'))) return false;
      mkdirSync(join(data, 'level.restoring', 'in the way'), { recursive: true });
      return true;
    });
    const { code, err } = await restore(snapshotOf({}));
    expect(code).toBe(1);
    expect(err).toMatch(
      /^quartet restore: EIO: .*level may be there all the same: check the disk, and move it away.*\n$/,
    );
    expect(await readdir(data)).toEqual(['level']);
  });
});

describe('the command', () => {
  it.each([
    [[], /a command is missing/],
    [['backup'], /"backup" is not a command/],
    [['restore', '--name', 'n1'], /--data is missing/],
    [['restore', '--data', 'd'], /--name is missing/],
    [['restore', '--data', 'd', '--name', 'N.1'], /--name "N\.1" must be a name/],
    [['restore', '--data', 'd', '--name', 'n1'], /--file is missing, and nothing is piped in/],
    [['restore', '--data', 'd', '--name', 'n1', '--force'], /--force/],
    [['restore', 'd', '--data', 'd', '--name', 'n1'], /"d" stands alone/],
    [['check'], /--file is missing, and nothing is piped in/],
    [['check', '--name', 'n1', '--file', 'f'], /check takes no option but --file/],
  ])('says what is wrong with %j, and what is right', async (args, complaint) => {
    const { code, out, err } = await quartet(args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(complaint);
    expect(err).toMatch(/Usage: quartet restore --data DIR --name NAME \[--file FILE\]/);
  });

  it('explains itself when asked', async () => {
    for (const args of [['--help'], ['-h'], ['restore', '--help'], ['check', '--help']]) {
      const { code, out, err } = await quartet(args);
      expect([code, err]).toEqual([0, '']);
      expect(out).toMatch(/^Usage: quartet restore/);
    }
  });

  it('says so when the file is not there', async () => {
    const args = ['restore', '--data', join(folder.path, 'data'), '--name', 'n1', '--file', join(folder.path, 'none')];
    expect(await quartet(args)).toMatchObject({ code: 1, err: expect.stringMatching(/no such file/) });
    expect(await readdir(folder.path)).toEqual([]);
  });

  it('shows on a terminal how far it is, and leaves no trace of that', async () => {
    const data = join(folder.path, 'data');
    const file = join(folder.path, 'snapshot');
    await writeFile(file, snapshotOf({}));
    const terminal: string[] = [];
    const streams: Streams = {
      stdin: new PassThrough(),
      stdout: { write: () => true },
      stderr: { isTTY: true, write: (text) => terminal.push(text) },
    };
    const args = ['restore', '--data', data, '--name', 'n1', '--file', file];
    expect(await runCommand(args, streams, new AbortController().signal)).toBe(0);
    expect(terminal).toEqual(['\r\x1b[K1 keys, 100 % of the file', '\r\x1b[K']);
  });

  it('leaves nothing behind when it is stopped in the middle', async () => {
    const stopped = new AbortController();
    const piped = new PassThrough();
    piped.write(snapshotOf({}).split('\n').slice(0, 2).join('\n'));
    const ended = quartet(['restore', '--data', join(folder.path, 'data'), '--name', 'n1'], piped, stopped.signal);
    await until('it has begun', async () => (await readdir(join(folder.path, 'data'))).length > 0);
    stopped.abort();
    expect(await ended).toMatchObject({ code: 1, err: expect.stringMatching(/it was stopped\nNothing was restored/) });
    expect(await readdir(folder.path)).toEqual([]);
  });
});

describe('the command as a process of its own', () => {
  let compiled: TemporaryFolder;
  let script: string;

  beforeAll(async () => {
    compiled = await temporaryFolder();
    const target = join(compiled.path, 'compiled');
    const launcher = await readFile('src/cli/quartet.js', 'utf8');
    await compileSource(target, ['cli', 'clock', 'codec', 'replication', 'store'], { 'cli/quartet.js': launcher });
    script = join(target, 'cli', 'quartet.js');
  });
  afterAll(() => compiled.remove());

  function run(args: readonly string[]) {
    const child = spawn(process.execPath, [script, ...args]);
    let said = '';
    child.stdout.on('data', (bytes: Buffer) => (said += bytes.toString()));
    child.stderr.on('data', (bytes: Buffer) => (said += bytes.toString()));
    const ended = new Promise<Said>((resolve) => {
      child.on('close', (code) => resolve({ code: code ?? -1, out: said, err: '' }));
    });
    return { child, ended };
  }

  it('reads what is piped in', async () => {
    const checked = run(['check']);
    checked.child.stdin.end(OF_VERSION_1);
    expect(await checked.ended).toMatchObject({
      code: 0,
      out: expect.stringMatching(/is whole: 3 keys of n1 as of 2026/),
    });
    const { child, ended } = run(['restore', '--data', join(folder.path, 'data'), '--name', 'n1']);
    child.stdin.end(OF_VERSION_1);
    expect(await ended).toMatchObject({ code: 0, out: expect.stringMatching(/has 3 keys of n1 as of 2026/) });
    const node = await started();
    expect(comparable(await take(node))).toBe(comparable(OF_VERSION_1));
    await node.remove();
  });

  it('ends with 1 when it refuses, though more could be piped in', async () => {
    const { child, ended } = run(['restore', '--data', join(folder.path, 'data'), '--name', 'n1']);
    child.stdin.on('error', () => {});
    child.stdin.write('{"quartet":"other"}\n');
    expect(await ended).toMatchObject({ code: 1, out: expect.stringMatching(/line 1/) });
    expect(await readdir(folder.path)).toEqual([]);
  });

  it('cleans up when it is told to end', async () => {
    const { child, ended } = run(['restore', '--data', join(folder.path, 'data'), '--name', 'n1']);
    child.stdin.write(OF_VERSION_1.slice(0, 300));
    await until('it has begun', async () => (await readdir(join(folder.path, 'data', 'level.restoring'))).length > 0);
    child.kill('SIGTERM');
    expect(await ended).toMatchObject({ code: 1, out: expect.stringMatching(/it was stopped/) });
    expect(await readdir(folder.path)).toEqual([]);
  });
});
