// What do many readers cost that ask for different things? What has changed is looked at once, however many they are; only
// those for whom there is something in it are told. A store in memory, and readers without sockets.

import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { BatchReader } from '../../../src/controllers/changes/batch.js';
import { ChangeHub } from '../../../src/controllers/changes/change-hub.js';
import { HubReader } from '../../../src/controllers/changes/hub-reader.js';
import { Tokens } from '../../../src/controllers/http/tokens.js';
import { ChangeFeed } from '../../../src/replication/change-feed.js';
import { firstCursor, type Cursor } from '../../../src/replication/cursor.js';
import { SessionWaiters } from '../../../src/replication/session-waiters.js';
import { SystemTime } from '../../../src/replication/system-time.js';
import { MemoryStore } from '../../../src/store/memory/memory-store.js';
import { blankNode } from '../../../src/store/record-codec.js';
import { ReplicaStore } from '../../../src/store/replica-store.js';
import { vector } from '../../support/clock-arbitraries.js';
import { commitOf, holding, node, SELF } from '../../support/replica-commits.js';
import { until } from '../../support/until.js';

const READERS = 300;

/** One for all readers of a test: those who stand at one clock stand at one cursor. */
let start: Cursor;
let store: ReplicaStore;
let sessions: SessionWaiters;
let hub: ChangeHub;
let written: number;
/** The turn of the event loop in which each reading of the log began. */
let readings: number[];
let turns: number;
/** Called when keys have been read of the log, and readers have not moved on yet. */
let onRead: () => void;
let counting: NodeJS.Immediate;

const tokens = new Tokens('secret');

function countTurns(): void {
  turns++;
  counting = setImmediate(countTurns);
}

function newHub(): ChangeHub {
  const driver = {
    get view() {
      return store.view;
    },
    sessions,
  };
  const feed = new ChangeFeed(driver, { endedKeptAfterMs: -Infinity });
  return new ChangeHub(driver, new BatchReader(feed, tokens, 'latest'), READERS);
}

beforeEach(async () => {
  store = await ReplicaStore.open(new MemoryStore(), blankNode(SELF));
  sessions = new SessionWaiters(new SystemTime());
  hub = newHub();
  start = firstCursor(Date.now());
  [written, turns, readings, onRead] = [0, 0, [], () => {}];
  countTurns();
});

afterEach(async () => {
  jest.restoreAllMocks();
  clearImmediate(counting);
  await hub.stop();
  await store.close();
});

/** Keys that one commit writes. */
async function write(...keys: string[]): Promise<void> {
  const first = written + 1;
  written += keys.length;
  const containers = Object.fromEntries(keys.map((key, place) => [key, holding(first + place)]));
  const commit = commitOf({ containers, node: node({ [SELF]: written }) });
  await store.commit({ ...commit, log: keys.map((key, place) => ({ actor: SELF, counter: first + place, key })) });
  const { log } = store.view;
  const chunks = log.chunks.bind(log);
  log.chunks = async function* (span) {
    readings.push(turns);
    yield* chunks(span);
    onRead();
  };
  sessions.advance(store.view.clock);
}

class Follower {
  readonly reader: HubReader;
  readonly told: string[][] = [];
  readonly ended: Promise<void>;

  constructor(prefix: string, cursor: Cursor, limit = 100) {
    const standing = { cursor, token: tokens.cursor(cursor) };
    this.reader = new HubReader(hub, { prefix, limit, wantsValues: false }, standing);
    this.ended = this.follow();
  }

  private async follow(): Promise<void> {
    for (let batch = await this.reader.next(); batch !== undefined; batch = await this.reader.next()) {
      this.told.push((JSON.parse(batch.body) as { entries: { key: string }[] }).entries.map(({ key }) => key));
    }
  }
}

/** It has been told of so many writes. */
function at(counter: number, prefix: string): Follower {
  return new Follower(prefix, { ...start, clock: vector(counter === 0 ? {} : { [SELF]: counter }) });
}

const isAtEnd = ({ reader }: Follower): boolean => reader.standing.cursor.clock.get(SELF) === written;
const many = <T>(make: (place: number) => T): T[] => Array.from({ length: READERS }, (_, place) => make(place));
const everyKey = (count: number): string[] => Array.from({ length: count }, (_, place) => `key${place}`);

describe('readers with prefixes of their own', () => {
  it('are told of their keys for one reading of the log, and stand together behind it, the others too', async () => {
    await write('before');
    const followers = many((place) => at(written, `user${place}/`));
    await write('user7/a', 'nobody', 'user9/a', 'user7/b');
    await until('both are told', () => [7, 9].every((place) => followers[place]!.told.length > 0));
    expect(followers.flatMap(({ told }, place) => (told.length > 0 ? [[place, told]] : []))).toEqual([
      [7, [['user7/a', 'user7/b']]],
      [9, [['user9/a']]],
    ]);
    expect(readings).toHaveLength(1);
    expect(new Set(followers.map(({ reader }) => reader.token)).size).toBe(1);
    expect(followers[0]!.reader.standing.cursor.clock).toEqual(store.view.clock);
  });

  it('are all told when one key is of all their prefixes', async () => {
    const followers = ['', 'a', 'a/b', 'a/b/c', 'a/c'].map((prefix) => at(0, prefix));
    await write('a/b/c');
    await until('four are told', () => followers.filter(({ told }) => told.length > 0).length === 4);
    expect(followers.map(({ told }) => told.length)).toEqual([1, 1, 1, 1, 0]);
  });

  it('come from the beginning together, though nothing of it is theirs', async () => {
    await write(...everyKey(12_000));
    const followers = many((place) => at(0, `user${place}/`));
    await until('all are at the end', () => followers.every(isAtEnd));
    // At most 10,000 dots at once.
    expect(readings).toHaveLength(2);
    expect(followers.every(({ told }) => told.length === 0)).toBe(true);
  });

  it('at different cursors are read for in different turns of the event loop, and stand together then', async () => {
    await write(...everyKey(2 * READERS));
    const followers = many((place) => at(place + 1, 'none'));
    await until('all are at the end', () => followers.every(isAtEnd));
    expect(readings).toHaveLength(READERS);
    expect(new Set(readings).size).toBe(READERS);
    await write('none');
    await until('all are told', () => followers.every(({ told }) => told.length === 1));
    expect(readings).toHaveLength(READERS + 1);
  });
});

describe('a reader that lacks little', () => {
  it('is told first, however many came before it that are far behind, at cursors of their own', async () => {
    await write(...everyKey(2000), 'last');
    const far = Array.from({ length: 20 }, (_, place) => at(place + 1, 'none'));
    const near = at(written - 1, 'last');
    let readingsBefore = Infinity;
    const tell = near.reader.tell.bind(near.reader);
    near.reader.tell = (outcome) => {
      readingsBefore = readings.length;
      tell(outcome);
    };
    await until('all are at the end', () => far.every(isAtEnd));
    expect(near.told).toEqual([['last']]);
    expect(readingsBefore).toBe(1);
  });
});

describe('a reader whose batches are full', () => {
  it('is told all the rest in order, each key once, beside others that ask for none of it', async () => {
    await write(...everyKey(10));
    const full = new Follower('key', start, 4);
    at(0, 'none');
    await until('all is told', () => full.told.length === 3);
    expect(full.told).toEqual([everyKey(4), ['key4', 'key5', 'key6', 'key7'], ['key8', 'key9']]);
  });

  it('is told of all lifetimes that have ended, too, at one look for them', async () => {
    // None but the first, when it comes.
    jest.spyOn(globalThis, 'setInterval').mockReturnValue(undefined as never);
    await hub.stop();
    hub = newHub();
    const endedMs = Date.now() - 30_000;
    const deadlines = everyKey(10).map((key) => ({ deadlineMs: endedMs, key, isSet: true }));
    await store.commit({ ...commitOf({ node: node({}) }), deadlines });
    const cursor = firstCursor(endedMs - 30_000);
    const full = new Follower('', cursor, 4);
    const other = new Follower('none', cursor);
    await until('all is told', () => full.told.length === 3);
    expect(full.told.flat().sort()).toEqual(everyKey(10));
    await until('the other has passed them', () => other.reader.standing.cursor.ended.wallMs > endedMs);
  });
});

describe('the cursor of a reader', () => {
  // With whom the place moves on.
  beforeEach(() => void at(0, 'nothing'));

  it('does not pass its batch before it has it, though others have theirs already', async () => {
    const [first, second] = [at(0, ''), at(0, 'k')];
    const before = second.reader.token;
    let seen: string | undefined;
    const tell = first.reader.tell.bind(first.reader);
    first.reader.tell = (outcome) => {
      seen = second.reader.token;
      tell(outcome);
    };
    await write('key');
    await until('both are told', () => first.told.length + second.told.length === 2);
    expect(seen).toBe(before);
    expect(second.reader.token).not.toBe(before);
  });

  it('moves no more once it has left: it goes on from where it was', async () => {
    const [leaving, staying] = [at(0, 'leaving'), at(0, 'staying')];
    const before = leaving.reader.token;
    leaving.reader.close();
    await write('leaving', 'staying');
    await until('the other is told', () => staying.told.length > 0);
    expect(leaving.reader.token).toBe(before);
    expect(leaving.told).toEqual([]);
  });

  it('is not moved on with those for whom the log was read before it came', async () => {
    let late: Follower | undefined;
    onRead = () => (late ??= at(0, 'key'));
    await write('key');
    await until('it is told', () => late?.told.length === 1);
  });
});

describe('a hub that stops', () => {
  it('lets go of those for whom the log is being read, and of who comes after', async () => {
    const followers = many((place) => at(0, `user${place}/`));
    let stopped: Promise<void> | undefined;
    onRead = () => void (stopped = hub.stop());
    await write('user7/a');
    await Promise.all(followers.map(({ ended }) => ended));
    await stopped;
    await at(0, '').ended;
    expect(readings).toHaveLength(1);
  });
});
