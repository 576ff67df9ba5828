import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Problem } from '../../../src/controllers/http/problem.js';
import { Tokens } from '../../../src/controllers/http/tokens.js';
import { shownVector, vector } from '../../support/clock-arbitraries.js';

const actor = fc
  .tuple(fc.stringMatching(/^[a-z0-9-]{1,63}$/), fc.stringMatching(/^[a-z0-9]{1,16}$/))
  .map(([name, incarnation]) => `${name}.${incarnation}`);
const counter = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }));
const anyVector = fc
  .uniqueArray(fc.tuple(actor, counter), { selector: ([name]) => name, maxLength: 16 })
  .map((entries) => new Map(entries));
const anyKey = fc.string({ unit: 'grapheme', minLength: 1 });

const tokens = new Tokens('secret');
const SOME = vector({ 'n1.a': 3, 'n2.b': 2 ** 50 });
const CURSOR = { clock: SOME, ended: { wallMs: 1, key: 'a' } };

function codeOf(open: () => unknown): string {
  try {
    open();
  } catch (error) {
    if (error instanceof Problem) return error.code;
    throw error;
  }
  return 'none';
}

describe('a token', () => {
  it('says again what was put into it, at every replica with the same secret', () => {
    fc.assert(
      fc.property(anyVector, anyKey, fc.option(fc.string()), (seen, key, secret) => {
        const [here, there] = [new Tokens(secret ?? undefined), new Tokens(secret ?? undefined)];
        const { vector: context, dot } = there.parseContext(key, here.context(key, seen));
        expect([shownVector(context), dot]).toEqual([shownVector(seen), undefined]);
        expect(shownVector(there.parseSession(here.session(seen)))).toEqual(shownVector(seen));
      }),
    );
  });

  it('says as a context of one more write, which is not covered, and of what all that may depend on', () => {
    fc.assert(
      fc.property(anyVector, fc.option(fc.tuple(actor, counter)), anyVector, anyKey, (seen, own, past, key) => {
        const dot = own === null ? undefined : { actor: own[0], counter: own[1] };
        const token = tokens.authorContext(key, { vector: seen, dot, past });
        const context = new Tokens('secret').parseContext(key, token);
        expect([shownVector(context.vector), context.dot]).toEqual([shownVector(seen), dot]);
        expect(shownVector(context.past)).toEqual(shownVector(past));
        expect(codeOf(() => tokens.parseContext(`${key}.`, token))).toBe('CONTEXT_OF_ANOTHER_KEY');
        expect(codeOf(() => tokens.parseSession(token))).toBe('INVALID_TOKEN');
      }),
    );
  });

  it('says as a cursor how far its reader is, in writes and in time', () => {
    fc.assert(
      fc.property(anyVector, fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), anyKey, (clock, wallMs, key) => {
        const cursor = new Tokens('secret').parseCursor(tokens.cursor({ clock, ended: { wallMs, key } }));
        expect(shownVector(cursor.clock)).toEqual(shownVector(clock));
        expect(cursor.ended).toEqual({ wallMs, key });
      }),
    );
  });

  it('says it also of hundreds of actors, as after many lost disks', () => {
    const many = new Map(
      Array.from({ length: 700 }, (_, place) => [`n1.tp9${place.toString().padStart(6, '0')}`, place + 1]),
    );
    expect(tokens.parseSession(tokens.session(many)).size).toBe(700);
    expect(tokens.parseContext('key', tokens.context('key', many)).vector.size).toBe(700);
  });

  it('is base64url, which any header and any URL can carry', () => {
    fc.assert(
      fc.property(anyVector, anyKey, (seen, key) => {
        expect(tokens.context(key, seen)).toMatch(/^[A-Za-z0-9_-]+$/);
      }),
    );
  });

  it('is refused when any one bit of it is flipped', () => {
    const bytes = Buffer.from(tokens.context('key', SOME), 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const damaged = Buffer.from(bytes);
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      expect(codeOf(() => tokens.parseContext('key', damaged.toString('base64url')))).toBe('INVALID_TOKEN');
    }
  });

  it('is refused at every shorter length', () => {
    const [context, session] = [tokens.context('key', SOME), tokens.session(SOME)];
    const cursor = tokens.cursor(CURSOR);
    for (let length = 0; length < context.length; length++) {
      expect(codeOf(() => tokens.parseContext('key', context.slice(0, length)))).toBe('INVALID_TOKEN');
      expect(codeOf(() => tokens.parseSession(session.slice(0, length)))).toBe('INVALID_TOKEN');
      expect(codeOf(() => tokens.parseCursor(cursor.slice(0, length)))).toBe('INVALID_TOKEN');
    }
  });

  it('is refused whatever else it is', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String(), fc.stringMatching(/^[A-Za-z0-9_-]{0,80}$/)), (text) => {
        expect(codeOf(() => tokens.parseContext('key', text))).toBe('INVALID_TOKEN');
        expect(codeOf(() => tokens.parseSession(text))).toBe('INVALID_TOKEN');
        expect(codeOf(() => tokens.parseCursor(text))).toBe('INVALID_TOKEN');
      }),
    );
  });

  it('is refused as the other kind', () => {
    expect(codeOf(() => tokens.parseSession(tokens.context('', SOME)))).toBe('INVALID_TOKEN');
    expect(codeOf(() => tokens.parseContext('', tokens.session(SOME)))).toBe('INVALID_TOKEN');
    expect(codeOf(() => tokens.parseCursor(tokens.session(SOME)))).toBe('INVALID_TOKEN');
    expect(codeOf(() => tokens.parseSession(tokens.cursor(CURSOR)))).toBe('INVALID_TOKEN');
  });

  it('is refused by a cluster with another secret, and by one without', () => {
    for (const other of [new Tokens('other'), new Tokens(undefined), new Tokens('')]) {
      expect(codeOf(() => other.parseContext('key', tokens.context('key', SOME)))).toBe('INVALID_TOKEN');
      expect(codeOf(() => other.parseCursor(tokens.cursor(CURSOR)))).toBe('INVALID_TOKEN');
      expect(codeOf(() => other.parseSession(tokens.session(SOME)))).toBe('INVALID_TOKEN');
    }
  });

  it('is refused as another key’s when it is a context of one', () => {
    fc.assert(
      fc.property(anyKey, anyKey, (key, other) => {
        fc.pre(key !== other);
        expect(codeOf(() => tokens.parseContext(other, tokens.context(key, SOME)))).toBe('CONTEXT_OF_ANOTHER_KEY');
      }),
    );
  });

  it('differs for other keys, kinds and vectors', () => {
    const all = [
      tokens.context('a', SOME),
      tokens.context('b', SOME),
      tokens.session(SOME),
      tokens.cursor(CURSOR),
      tokens.cursor({ ...CURSOR, ended: { wallMs: 2, key: 'a' } }),
      tokens.cursor({ ...CURSOR, ended: { wallMs: 1, key: 'b' } }),
      tokens.context('a', vector({ 'n1.a': 3 })),
    ];
    expect(new Set(all).size).toBe(all.length);
  });
});
