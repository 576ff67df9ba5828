// Which versions does an addition to a counter replace?
//
// The partial sum of the actor that takes it, which no other actor writes: the new one is the old one and what is added.
// The counter's value is the sum over all actors, exact however additions race. A delete replaces the partial sums that its
// author has seen; an actor that adds at the same time has written a newer one, and all of that lives on.
// Source: Shapiro, Preguiça, Baquero, Zawirski: A comprehensive study of Convergent and Commutative Replicated Data Types
// (2011), the PN-Counter.

import type { Actor } from './dot.js';
import type { Version } from './container.js';

/** The rule of an addition at this actor. */
export function counterReplaces(actor: Actor): (version: Version) => boolean {
  return (version) => version.type === 'counter' && version.actor === actor;
}

/** The counter's value, or one actor's part of it. */
export function sumOf(versions: readonly Version[]): bigint {
  let sum = 0n;
  for (const { type, value } of versions) if (type === 'counter') sum += partialSum(value);
  return sum;
}

/** Far more than additions of the largest amount can reach, and little enough to be added up at every read. */
export const SUM_DIGITS_MAX = 64;

const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;

/** Whether a counter's version may have this value. */
export function isSum(value: Uint8Array): boolean {
  const start = value[0] === MINUS ? 1 : 0;
  const digits = value.length - start;
  if (digits < 1 || digits > SUM_DIGITS_MAX) return false;
  // Each number has one form.
  if (value[start] === ZERO && value.length > 1) return false;
  for (let place = start; place < value.length; place++) if (value[place]! < ZERO || value[place]! > NINE) return false;
  return true;
}

/** As a counter's version has it. */
export function encodeSum(sum: bigint): Uint8Array {
  const text = sum.toString();
  const bytes = new Uint8Array(text.length);
  for (let place = 0; place < text.length; place++) bytes[place] = text.charCodeAt(place);
  return bytes;
}

function partialSum(value: Uint8Array): bigint {
  let text = '';
  for (const byte of value) text += String.fromCharCode(byte);
  return BigInt(text);
}
