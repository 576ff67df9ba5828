// What does an answer claim to have seen? To clients a token is opaque. Here it is opened on purpose: its vector is what
// a replica says that it knows of a key, and that is what has to be judged. It says it of writes that no answer shows
// (deletes, and what has been replaced), which is what makes the judgement exact.
//
// A reader of its own, that shares nothing with the code that it judges. Layout, as base64url: format (1 byte); a vector, which
// is a count, as many times an actor and its counter; in a context, if there is one, 1 with an actor and its counter, else 0;
// then a vector of what that may depend on; zeros up to a multiple of 3, and 13 bytes of kind, seal and check. Numbers are
// LEB128.

export type Vector = ReadonlyMap<string, number>;

export interface Seen {
  readonly vector: Vector;
  /** One write more. */
  readonly dot: { readonly actor: string; readonly counter: number } | undefined;
}

const FORMAT = 2;
const TAIL_BYTES = 13;

const read = new Map<string, Seen>();

/** @throws when the layout is another one: this reader has to learn it then */
export function seenIn(token: string): Seen {
  let seen = read.get(token);
  if (seen === undefined) read.set(token, (seen = parse(token)));
  return seen;
}

function parse(token: string): Seen {
  const bytes = Buffer.from(token, 'base64url');
  if (bytes[0] !== FORMAT) throw new Error(`a token of format ${bytes[0]}: teach test/faults/token.ts to read it`);
  let place = 1;
  const number = (): number => {
    let value = 0;
    for (let weight = 1; ; weight *= 128) {
      const byte = bytes[place++]!;
      value += (byte % 128) * weight;
      if (byte < 128) return value;
    }
  };
  const entry = (): readonly [actor: string, counter: number] => {
    const length = number();
    const actor = bytes.toString('utf8', place, (place += length));
    return [actor, number()];
  };
  const vectorHere = (): Vector => new Map(Array.from({ length: number() }, entry));
  const vector = vectorHere();
  const isMore = place < bytes.length - TAIL_BYTES;
  const [actor, counter] = isMore && number() === 1 ? entry() : [];
  if (isMore && place < bytes.length - TAIL_BYTES) vectorHere();
  while (place % 3 !== 0 && bytes[place] === 0) place++;
  if (place !== bytes.length - TAIL_BYTES) throw new Error(`a token with ${bytes.length - place} bytes at its end`);
  return { vector, dot: actor === undefined ? undefined : { actor, counter: counter! } };
}
