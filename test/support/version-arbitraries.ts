// How do tests draw versions of every type? Each field as its type has it, and empty where it has none.

import fc from 'fast-check';
import type { Version } from '../../src/clock/container.js';
import { encodeSum } from '../../src/clock/counter.js';
import type { Dot } from '../../src/clock/dot.js';
import { utf8 } from './clock-arbitraries.js';

type Content = Pick<Version, 'type' | 'part' | 'contentType' | 'value'>;

const NO_BYTES = new Uint8Array(0);

const anyPart = fc.string({ unit: 'grapheme', maxLength: 20 }).filter((part) => part.isWellFormed());

const anyContent: fc.Arbitrary<Content> = fc.oneof(
  fc.record({
    type: fc.constant('register' as const),
    part: fc.constant(''),
    contentType: fc.oneof(
      fc.stringMatching(/^[\x20-\x7e]{1,255}$/),
      fc.constantFrom('application/octet-stream', 'text/plain', 'application/x-www-form-urlencoded'),
    ),
    value: fc.uint8Array({ maxLength: 300 }),
  }),
  fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }).map((sum) => content('counter', '', encodeSum(sum))),
  anyPart.map((element) => content('set', element, NO_BYTES)),
  fc.tuple(anyPart, fc.json()).map(([field, json]) => content('map', field, utf8(json))),
);

export function anyVersionOf(anyDot: fc.Arbitrary<Dot>): fc.Arbitrary<Version> {
  return fc
    .record({
      dot: anyDot,
      content: anyContent,
      stamp: fc.maxSafeNat(),
      deadlineMs: fc.option(fc.integer({ min: 0, max: 8.64e15 }), { nil: undefined }),
    })
    .map(({ dot, content, stamp, deadlineMs }) => ({ ...dot, stamp, ...content, deadlineMs }));
}

function content(type: Content['type'], part: string, value: Uint8Array): Content {
  return { type, part, contentType: '', value };
}
