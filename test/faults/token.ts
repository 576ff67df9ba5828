// What does an answer claim to have seen? To clients a token is opaque. Here it is opened on purpose: its vector is what
// a replica says that it knows of a key, and that is what has to be judged. It says it of writes that no answer shows
// (deletes, and what has been replaced), which is what makes the judgement exact.
//
// A reader of its own, that shares nothing with the code that it judges. Layout, as base64url: format (1 byte), a
// count, as many times an actor and its counter, zeros up to a multiple of 3, and 13 bytes of kind, seal and check. Numbers
// are LEB128.

export type Vector = ReadonlyMap<string, number>;

const FORMAT = 2;
const TAIL_BYTES = 13;

const read = new Map<string, Vector>();

/** @throws when the layout is another one: this reader has to learn it then */
export function vectorOf(token: string): Vector {
  let vector = read.get(token);
  if (vector === undefined) read.set(token, (vector = parse(token)));
  return vector;
}

function parse(token: string): Vector {
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
  const vector = new Map<string, number>();
  for (let left = number(); left > 0; left--) {
    const length = number();
    const actor = bytes.toString('utf8', place, (place += length));
    vector.set(actor, number());
  }
  while (place % 3 !== 0 && bytes[place] === 0) place++;
  if (place !== bytes.length - TAIL_BYTES) throw new Error(`a token with ${bytes.length - place} bytes at its end`);
  return vector;
}
