// Would the verdict on real processes notice? Histories made by hand: true ones pass, and each lie in them is found. A
// checker that never failed is a decoration.

import { beforeEach, describe, expect, test } from '@jest/globals';
import type { History, Read, Write } from './history.js';
import { judge } from './verdict.js';

let events: (Write | Read)[];
let atMs: number;

beforeEach(() => {
  events = [];
  atMs = 0;
});

/** A token as a replica gives it out, without a valid seal: nobody checks it here. */
function token(vector: Record<string, number>, dot?: readonly [actor: string, counter: number]): string {
  const bytes = [2, Object.keys(vector).length];
  const push = (actor: string, counter: number): number => bytes.push(actor.length, ...Buffer.from(actor), counter);
  for (const [actor, counter] of Object.entries(vector)) push(actor, counter);
  if (dot !== undefined) {
    bytes.push(1);
    push(...dot);
    bytes.push(0);
  }
  const padding = (3 - (bytes.length % 3)) % 3;
  return Buffer.from([...bytes, ...Array<number>(padding + 13).fill(0)]).toString('base64url');
}

function asked(replica: string, disk: number) {
  atMs += 2;
  return { client: 'c1', replica, disk, key: 'k1', beganAtMs: atMs - 1, endedAtMs: atMs };
}

/** Written without a context unless one is given; `knowing` is what the answer claims. */
function write(
  dot: string,
  value: string | undefined,
  knowing: Record<string, number>,
  more: Partial<Write> & { siblings?: number } = {},
): void {
  const replica = dot.slice(0, 2);
  events.push({
    ...{ kind: 'write', ...asked(replica, 0), value, context: undefined, outcome: 'acknowledged', acks: 1, dot },
    told: token(knowing),
    siblings: value === undefined ? 0 : 1,
    ...more,
  });
}

function unanswered(replica: string, value: string | undefined, context?: string): void {
  const nothing = { outcome: 'unknown', acks: 0, dot: undefined, told: undefined, siblings: undefined } as const;
  events.push({ kind: 'write', ...asked(replica, 0), value, context, ...nothing });
}

function reading(replica: string, versions: Record<string, string>, knowing: Record<string, number>, disk = 0): Read {
  const siblings = Object.entries(versions).map(([dot, value]) => ({ dot, value, time: dot }));
  return { kind: 'read', ...asked(replica, disk), token: token(knowing), siblings, session: undefined };
}

function read(...told: Parameters<typeof reading>): void {
  events.push(reading(...told));
}

/** What is found when both replicas end with this. */
function found(
  versions: Record<string, string>,
  knowing: Record<string, number>,
  more: Partial<History> = {},
): readonly string[] {
  const finalReads = ['n1', 'n2'].map((replica) => reading(replica, versions, knowing));
  const findings = judge({ events, finalReads, destructions: [], ends: new Map(), ...more });
  return [...new Set(findings.map(({ invariant }) => invariant))];
}

describe('The verdict', () => {
  test('passes writes that raced, and one that replaced both', () => {
    write('n1.a:1', '1', { 'n1.a': 1 });
    write('n2.b:1', '2', { 'n2.b': 1 });
    read('n1', { 'n2.b:1': '2', 'n1.a:1': '1' }, { 'n1.a': 1, 'n2.b': 1 });
    write('n2.b:2', '3', { 'n1.a': 1, 'n2.b': 2 }, { context: token({ 'n1.a': 1, 'n2.b': 1 }) });
    expect(found({ 'n2.b:2': '3' }, { 'n1.a': 1, 'n2.b': 2 })).toEqual([]);
  });

  test('finds an acknowledged write that is nowhere, though no disk was lost', () => {
    write('n1.a:1', '1', { 'n1.a': 1 });
    expect(found({}, {})).toEqual(['memory', 'durability']);
  });

  test('passes the same when its only disk was destroyed, and not when two had acknowledged it', () => {
    write('n1.a:1', '1', { 'n1.a': 1 });
    const destructions = [{ replica: 'n1', atMs: 10 }];
    const end = (): readonly string[] => {
      const finalReads = [reading('n1', {}, {}, 1), reading('n2', {}, {})];
      return judge({ events, finalReads, destructions, ends: new Map() }).map(({ invariant }) => invariant);
    };
    expect(end()).toEqual([]);
    events = [];
    write('n1.a:1', '1', { 'n1.a': 1 }, { acks: 2 });
    destructions[0]!.atMs = atMs;
    expect(end()).toEqual(['durability']);
  });

  test('finds a known write that is not shown, though nothing replaced it', () => {
    write('n1.a:1', '1', { 'n1.a': 1 });
    expect(found({}, { 'n1.a': 1 })).toEqual(['lost write']);
  });

  test('finds a value that came back after what replaced it, and a false sibling', () => {
    write('n1.a:1', '1', { 'n1.a': 1 });
    write('n1.a:2', '2', { 'n1.a': 2 });
    expect(found({ 'n1.a:2': '2', 'n1.a:1': '1' }, { 'n1.a': 2 })).toEqual(['replaced value']);
  });

  test('finds a value that came back after a delete', () => {
    write('n1.a:1', '1', { 'n1.a': 1 });
    write('n1.a:2', undefined, { 'n1.a': 2 });
    expect(found({ 'n1.a:1': '1' }, { 'n1.a': 2 })).toEqual(['replaced value']);
  });

  test('finds a dot that names two values: answered twice, or shown as another value', () => {
    write('n1.a:1', '1', { 'n1.a': 1 });
    write('n1.a:1', '2', { 'n1.a': 1 });
    expect(found({ 'n1.a:1': '1' }, { 'n1.a': 1 })).toContain('dot uniqueness');
    events = [];
    write('n1.a:1', '1', { 'n1.a': 1 });
    unanswered('n2', '2');
    read('n2', { 'n1.a:1': '2' }, { 'n1.a': 1 });
    expect(found({ 'n1.a:1': '1' }, { 'n1.a': 1 })).toContain('dot uniqueness');
  });

  test('finds values that nobody wrote, and writes that were refused', () => {
    unanswered('n1', '1');
    events = events.map((event) => ({ ...event, outcome: 'refused' }) as Write);
    expect(found({ 'n1.a:1': '1' }, { 'n1.a': 1 })).toContain('refusal');
    expect(found({ 'n1.a:1': 'made up' }, { 'n1.a': 1 })).toContain('invention');
  });

  test('leaves open whether a write without an answer is there, and excuses what it may have replaced', () => {
    write('n1.a:1', '1', { 'n1.a': 1 });
    unanswered('n1', undefined, token({ 'n1.a': 1 }));
    expect(found({}, { 'n1.a': 2 })).toEqual([]);
    expect(found({ 'n1.a:1': '1' }, { 'n1.a': 1 })).toEqual([]);
    unanswered('n2', '2');
    expect(found({ 'n2.b:1': '2' }, { 'n1.a': 2, 'n2.b': 1 })).toEqual([]);
    expect(found({ 'n2.b:1': '2', 'n1.a:1': '1' }, { 'n1.a': 1, 'n2.b': 1 })).toEqual([]);
  });

  test('does not excuse what a write without an answer cannot have seen', () => {
    unanswered('n1', undefined);
    const ends = new Map([['n1', [atMs]]]);
    write('n2.b:1', '1', { 'n2.b': 1 });
    expect(found({}, { 'n2.b': 1 }, { ends })).toEqual(['lost write']);
  });

  test('finds a replica that forgets what it knew, on the same disk', () => {
    write('n1.a:1', '1', { 'n1.a': 1 });
    read('n1', {}, {});
    expect(found({ 'n1.a:1': '1' }, { 'n1.a': 1 })).toEqual(['memory']);
  });

  test("passes a replica that has an author's word alone for a write, and finds one that forgets what it had itself", () => {
    write('n1.a:1', '1', { 'n1.a': 1 });
    const context = token({}, ['n1.a', 1]);
    write('n2.b:1', '2', { 'n2.b': 1 }, { context, told: token({ 'n2.b': 1 }, ['n1.a', 1]) });
    read('n2', { 'n2.b:1': '2' }, { 'n2.b': 1 });
    expect(found({ 'n2.b:1': '2' }, { 'n1.a': 1, 'n2.b': 1 })).toEqual([]);
    read('n2', {}, {});
    expect(found({ 'n2.b:1': '2' }, { 'n1.a': 1, 'n2.b': 1 })).toEqual(['memory']);
  });

  test('finds a replica that claims to know what was not yet written', () => {
    read('n2', {}, { 'n1.a': 1 });
    write('n1.a:1', '1', { 'n1.a': 1 });
    expect(found({ 'n1.a:1': '1' }, { 'n1.a': 1 })).toContain('future');
  });

  test('finds an answer to a session that had seen more, and one with the wrong number of siblings', () => {
    write('n1.a:1', '1', { 'n1.a': 1 });
    events.push({ ...reading('n2', {}, {}), session: token({ 'n1.a': 1 }) });
    expect(found({ 'n1.a:1': '1' }, { 'n1.a': 1 })).toEqual(['session']);
    events = [];
    write('n1.a:1', '1', { 'n1.a': 1 }, { siblings: 2 });
    expect(found({ 'n1.a:1': '1' }, { 'n1.a': 1 })).toEqual(['answer']);
  });

  test('passes an author that is told what it has seen and written, and finds one that is told more', () => {
    const author = (told: string): void => {
      events = [];
      write('n1.a:1', '1', { 'n1.a': 1 });
      write('n1.a:2', '2', {}, { context: token({}), told, siblings: 2 });
    };
    const both = { 'n1.a:2': '2', 'n1.a:1': '1' };
    author(token({}, ['n1.a', 2]));
    expect(found(both, { 'n1.a': 2 })).toEqual([]);
    author(token({ 'n1.a': 2 }));
    expect(found(both, { 'n1.a': 2 })).toEqual(['answer']);
    author(token({}));
    expect(found(both, { 'n1.a': 2 })).toEqual(['answer']);
  });

  test('finds replicas that end differently, a wrong winner, and a write that changes its time', () => {
    write('n1.a:1', '1', { 'n1.a': 1 });
    write('n2.b:1', '2', { 'n2.b': 1 });
    const both = { 'n1.a': 1, 'n2.b': 1 };
    const right = { 'n2.b:1': '2', 'n1.a:1': '1' };
    expect(found({ 'n1.a:1': '1', 'n2.b:1': '2' }, both)).toEqual(['winner']);
    const apart = [reading('n1', right, both), reading('n2', { 'n2.b:1': '2' }, { 'n2.b': 1 })];
    expect(found({}, {}, { finalReads: apart })).toEqual(['convergence']);
    const [first, second] = [reading('n1', right, both), reading('n2', right, both)];
    const later = { ...second, siblings: second.siblings.map((version) => ({ ...version, time: 'later' })) };
    expect(found({}, {}, { finalReads: [first, later] })).toContain('stamp');
  });
});
