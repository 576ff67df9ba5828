// Does an acknowledged commit survive `kill -9`? A process of its own commits as fast as it can and says which commits are
// done; it is killed at a random moment, again and again on the same folder. What is then on the disk must hold every
// commit that it has said to be done, and of the one under way all or nothing.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { LevelStore } from '../../src/store/level/level-store.js';
import { CLAIMS_KEY, NODE_KEY, versionsKey } from '../../src/store/keyspace.js';
import { blankNode } from '../../src/store/record-codec.js';
import { ReplicaStore } from '../../src/store/replica-store.js';
import { compileSource } from '../support/compiled-source.js';
import { contents, shown } from '../support/store-changes.js';
import { temporaryFolder, type TemporaryFolder } from '../support/temporary-folder.js';

const ROUNDS = 6;
const KEYS = 7;
const DOTS_PER_COMMIT = 3;
/** Log entries that are kept; older ones are trimmed. */
const KEPT = 30;
const ACTOR = 'n1.a';
const FRESH = { ...blankNode(ACTOR), stamp: 1 };

/**
 * Each commit writes three dots; dot `n` writes key `n % 7`, deletes it when `n` is a multiple of 11, and leaves it ahead
 * of the clock when `n` is a multiple of 5. It claims more of some keys, and trims the log. Values of many sizes let the kill fall into the middle of a record.
 */
const COMMITTER = `
import { writeSync } from 'node:fs';
import { LevelStore } from './store/level/level-store.js';
import { blankNode } from './store/record-codec.js';
import { ReplicaStore } from './store/replica-store.js';

const actor = '${ACTOR}';
const fresh = { ...blankNode(actor), stamp: 1 };
const store = await ReplicaStore.open(await LevelStore.open(process.argv[2]), fresh);
for (let n = (store.view.clock.get(actor) ?? 0) + 1; ; n += ${DOTS_PER_COMMIT}) {
  const containers = new Map();
  const log = [];
  const last = n + ${DOTS_PER_COMMIT} - 1;
  for (let counter = n; counter <= last; counter++) {
    const key = 'key-' + (counter % ${KEYS});
    const value = Buffer.alloc((counter * 7919) % 60_000, counter % 256);
    const version = {
      ...{ actor, counter, stamp: counter, type: 'register', part: '', contentType: 'text/plain', value },
      deadlineMs: undefined,
    };
    const context = new Map(counter % 5 === 0 ? [['n2.b', counter]] : []);
    containers.set(key, { versions: counter % 11 === 0 ? [] : [version], context });
    log.push({ actor, counter, key });
  }
  const floor = new Map(last > ${KEPT} ? [[actor, last - ${KEPT}]] : []);
  const node = { ...fresh, clock: new Map([[actor, last]]), floor, stamp: last };
  const claims = [{ through: 'key-3', clock: new Map([['n3.c', last]]) }];
  await store.commit({ claims, containers, contexts: new Map(), log, node });
  writeSync(1, last + '\\n');
}
`;

describe('Commits to the store on disk, when its process is killed with SIGKILL at a random moment', () => {
  let folder: TemporaryFolder;

  beforeAll(async () => {
    folder = await temporaryFolder();
    await compileSource(join(folder.path, 'compiled'), ['clock', 'codec', 'store'], { 'committer.js': COMMITTER });
  });

  afterAll(() => folder.remove());

  test(`are all there when they were acknowledged, ${ROUNDS} times over on the same folder`, async () => {
    const data = join(folder.path, 'data');
    let before = 0;
    for (let round = 1; round <= ROUNDS; round++) {
      const waitMs = Math.random() * 120;
      const acknowledged = await commitUntilKilled(data, waitMs);
      const store = await LevelStore.open(data);
      const replica = await ReplicaStore.open(store, FRESH);
      const last = replica.view.clock.get(ACTOR) ?? 0;
      try {
        expect(acknowledged).toBeGreaterThan(before);
        expect(last).toBeGreaterThanOrEqual(acknowledged);
        expect(last - acknowledged).toBeLessThanOrEqual(DOTS_PER_COMMIT);
        expect(last % DOTS_PER_COMMIT).toBe(0);
        await expectState(store, replica, last);
      } catch (error) {
        throw new Error(`round ${round}, killed ${waitMs} ms after the first commit`, { cause: error });
      } finally {
        await replica.close();
      }
      before = last;
    }
  }, 30_000);

  /** Kills the committing process so long after its first commit; the last commit that it said to be done. */
  async function commitUntilKilled(data: string, waitMs: number): Promise<number> {
    const child = spawn(process.execPath, [join(folder.path, 'compiled', 'committer.js'), data], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    let acknowledged = 0;
    const lines = createInterface({ input: child.stdout });
    const ended = once(lines, 'close');
    lines.on('line', (line) => {
      if (acknowledged === 0) setTimeout(() => child.kill('SIGKILL'), waitMs);
      acknowledged = Number(line);
    });
    await ended;
    expect(await exited).toEqual([null, 'SIGKILL']);
    return acknowledged;
  }
});

/** The store holds what the dots from 1 to `last` make, and nothing else. */
async function expectState(store: LevelStore, replica: ReplicaStore, last: number): Promise<void> {
  const trimmed = Math.max(0, last - KEPT);
  const floor = new Map(trimmed > 0 ? [[ACTOR, trimmed]] : []);
  expect(replica.view.node).toEqual({ ...FRESH, clock: new Map([[ACTOR, last]]), floor, stamp: last });
  expect(replica.view.claims).toEqual([{ through: 'key-3', clock: new Map([['n3.c', last]]) }]);

  const log: string[] = [];
  const span = { actor: ACTOR, from: trimmed, to: last + 100 };
  for await (const key of replica.view.log.keys(span)) log.push(key);
  expect(log).toEqual(Array.from({ length: last - trimmed }, (_, place) => `key-${(trimmed + place + 1) % KEYS}`));

  const expected = new Map<string, string>();
  for (let counter = Math.max(1, last - KEYS + 1); counter <= last; counter++) {
    const live = counter % 11 === 0 ? 'deleted' : `${counter}: ${(counter * 7919) % 60_000} bytes of ${counter % 256}`;
    expected.set(`key-${counter % KEYS}`, `${live}, ${counter % 5 === 0 ? `ahead by ${counter}` : 'stripped'}`);
  }
  const found = new Map<string, string>();
  for (const key of expected.keys()) {
    const { versions, context } = replica.view.stored(key);
    const live = versions.map(({ counter, value }) => `${counter}: ${value.length} bytes of ${uniformByte(value)}`);
    found.set(key, `${live[0] ?? 'deleted'}, ${context.size > 0 ? `ahead by ${context.get('n2.b')}` : 'stripped'}`);
  }
  expect(found).toEqual(expected);

  const records = (await contents(store)).map(([key]) => key).filter((key) => !/^[lm]/.test(key));
  const live = [...expected]
    .filter(([, state]) => !state.startsWith('deleted'))
    .map(([key]) => shown(versionsKey(key)));
  const ahead = [...expected].filter(([, state]) => state.includes('ahead')).map(([key]) => `a${key}`);
  expect(records).toEqual([...ahead.sort(), shown(CLAIMS_KEY), ...live.sort(), shown(NODE_KEY)]);
}

/** The byte that the value consists of; NaN when it is not one. */
function uniformByte(value: Uint8Array): number {
  return value.every((byte) => byte === value[0]) ? (value[0] ?? NaN) : NaN;
}
