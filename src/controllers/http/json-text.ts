// How much is in a JSON text? Known before it is parsed: a value takes up to twenty times the bytes of its text, and a few
// megabytes of brackets would be hundreds of megabytes of objects.

export interface JsonExtent {
  /** Of the most deeply nested value. */
  readonly depth: number;
  /** How many values there are, members of objects and items of arrays. */
  readonly values: number;
  /** How many items the array has that the text is; undefined: it is none. */
  readonly items: number | undefined;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** Of bytes that are no JSON it says what they would be. An empty array counts for one with an item. */
export function extentOf(text: Uint8Array): JsonExtent {
  let [depth, deepest, values, items] = [0, 0, 1, 1];
  let outermost: number | undefined;
  for (let place = 0; place < text.length; place++) {
    switch (text[place]!) {
      case QUOTE:
        place = endOfString(text, place);
        break;
      case COMMA:
        values++;
        if (depth === 1) items++;
        break;
      case OPEN_ARRAY:
      case OPEN_OBJECT:
        outermost ??= text[place];
        values++;
        if (++depth > deepest) deepest = depth;
        break;
      case CLOSE_ARRAY:
      case CLOSE_OBJECT:
        depth--;
    }
  }
  return { depth: deepest, values, items: outermost === OPEN_ARRAY ? items : undefined };
}

/** The place of the closing quote; the end of the text when there is none. */
function endOfString(text: Uint8Array, opening: number): number {
  let place = opening + 1;
  while (place < text.length && text[place] !== QUOTE) place += text[place] === BACKSLASH ? 2 : 1;
  return place;
}
