// Most registers have one of a few content types. In records and messages these are numbers, for a name takes some twenty bytes
// beside each value.

import { KnownTexts } from './known-texts.js';

/** Given out as a header: one that no header can hold would make the key unreadable. */
export const CONTENT_TYPES = new KnownTexts(/^[\x20-\x7e]{1,255}$/, 'a content type is not ASCII text');

/** By number less one. One more is a new format of records and of the protocol: an earlier release does not know it. */
const NUMBERED = [
  'application/octet-stream',
  'text/plain',
  'text/plain; charset=utf-8',
  'application/json',
  'application/json; charset=utf-8',
  'application/x-www-form-urlencoded',
];

const NUMBERS: ReadonlyMap<string, number> = new Map(NUMBERED.map((type, place) => [type, place + 1]));

/** 0: it has none. */
export function numberOf(contentType: string): number {
  return NUMBERS.get(contentType) ?? 0;
}

/** Undefined: there is no such number. */
export function contentTypeOf(number: number): string | undefined {
  return NUMBERED[number - 1];
}
