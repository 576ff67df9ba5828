import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Problem } from '../../../src/controllers/http/problem.js';
import { choiceParameter, integerParameter, parseQuery } from '../../../src/controllers/http/query.js';

const ALLOWED = ['a', 'b', '__proto__'];

function refused(parse: () => unknown): string {
  try {
    parse();
  } catch (error) {
    expect(error).toBeInstanceOf(Problem);
    expect((error as Problem).code).toBe('INVALID_QUERY');
    return (error as Problem).message;
  }
  throw new Error('it was taken');
}

describe('a query', () => {
  it.each(['/path', '/path?'])('is empty where there is none: %s', (url) => {
    expect(parseQuery(url, ALLOWED).size).toBe(0);
  });

  it('has each parameter once, in whatever order', () => {
    expect([...parseQuery('/path?b=2&a=1', ALLOWED)]).toEqual([
      ['b', '2'],
      ['a', '1'],
    ]);
  });

  it.each([
    ['a=x+y', 'x y'],
    ['a=x%2By', 'x+y'],
    ['a=1=2', '1=2'],
    ['a=', ''],
    ['a', ''],
    ['a=%C3%A9', 'é'],
    ['%61=x', 'x'],
    ['a=?', '?'],
    ['a=/', '/'],
  ])('decodes %s', (text, value) => {
    expect(parseQuery(`/path?${text}`, ALLOWED).get('a')).toBe(value);
  });

  it('takes names that objects would trip over', () => {
    expect(parseQuery('/path?__proto__=x', ALLOWED).get('__proto__')).toBe('x');
  });

  it.each([
    'c=1',
    'A=1',
    'a=1&a=1',
    'a=1&%61=2',
    '&',
    'a=1&',
    '=1',
    'a[]=1',
    'a=%zz',
    'a=%ff',
    '%zz=1',
    'constructor=1',
  ])('is refused: %s', (text) => {
    refused(() => parseQuery(`/path?${text}`, ALLOWED));
  });

  it('names what is allowed when it refuses', () => {
    expect(refused(() => parseQuery('/path?c=1', ['a', 'b']))).toMatch(/"c".*a, b/);
    expect(refused(() => parseQuery('/path?c=1', []))).toMatch(/none/);
  });

  it('reads what URLSearchParams has written', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (a, b) => {
        const query = parseQuery(`/path?${new URLSearchParams({ a, b }).toString()}`, ALLOWED);
        expect([query.get('a'), query.get('b')]).toEqual([a, b]);
      }),
    );
  });

  it('never fails in another way, whatever stands in it', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[ab=&%+?0-9a-f]*$/), (text) => {
        try {
          parseQuery(`/path?${text}`, ALLOWED);
        } catch (error) {
          expect(error).toBeInstanceOf(Problem);
        }
      }),
    );
  });
});

describe('an integer parameter', () => {
  const read = (text: string) => integerParameter(parseQuery(`/path?${text}`, ['a']), 'a', 7, 1, 100);

  it('is read within its bounds, and has a default', () => {
    expect([read(''), read('a=1'), read('a=100'), read('a=007')]).toEqual([7, 1, 100, 7]);
  });

  it.each(['a=', 'a=0', 'a=101', 'a=-1', 'a=1.5', 'a=1e2', 'a=0x1', 'a=+1', 'a=1,2', 'a=9999999999999999', 'a=NaN'])(
    'is refused: %s',
    (text) => {
      expect(refused(() => read(text))).toMatch(/from 1 to 100/);
    },
  );
});

describe('a choice parameter', () => {
  const read = (text: string) => choiceParameter(parseQuery(`/path?${text}`, ['a']), 'a', ['x', 'y']);

  it('is one of its choices, or absent', () => {
    expect([read(''), read('a=x'), read('a=y')]).toEqual([undefined, 'x', 'y']);
  });

  it.each(['a=', 'a=z', 'a=X', 'a=xy'])('is refused: %s', (text) => {
    expect(refused(() => read(text))).toMatch(/x, y/);
  });
});
