// A text that is known by its bytes is the text that these bytes spell, whatever was read before it.

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { BinaryReader, MalformedBytesError } from '../../../src/codec/binary-reader.js';
import { BinaryWriter } from '../../../src/codec/binary-writer.js';
import { KnownTexts } from '../../../src/codec/known-texts.js';

const WORDS = /^[a-z ]*$/;

function read(known: KnownTexts, text: string): string {
  return new BinaryReader(new BinaryWriter().text(text).finish()).knownText(known);
}

describe('Texts of one kind', () => {
  test('read as they were written, first and again, also when many have one place', () => {
    const known = new KnownTexts(WORDS, 'no words');
    const anyWords = fc.array(fc.stringMatching(/^[ab ]{0,6}$/), { minLength: 1, maxLength: 300 });
    fc.assert(fc.property(anyWords, (words) => words.forEach((word) => expect(read(known, word)).toBe(word))));
  });

  test('are refused when they break the rule, the second time too', () => {
    const known = new KnownTexts(WORDS, 'no words');
    for (let round = 0; round < 2; round++) {
      expect(() => read(known, 'NO')).toThrow(new MalformedBytesError('no words'));
      expect(read(known, 'yes')).toBe('yes');
    }
  });

  test('are kept without the message that they came in', () => {
    const known = new KnownTexts(WORDS, 'no words');
    const message = new BinaryWriter().text('word').text('word').finish();
    const reader = new BinaryReader(message);
    expect(reader.knownText(known)).toBe('word');
    message.fill('x', 1, 5);
    expect(reader.knownText(known)).toBe('word');
    expect(read(known, 'word')).toBe('word');
  });
});
