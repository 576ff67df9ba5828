// How much may one key hold?
//
// A container travels whole, and each change of it is written whole: without bounds a client could make it too large to
// replicate, or each of its changes slow. Only what makes it larger is refused. A merge never is: replicas that grow a key at
// the same time may together go beyond; then it can only shrink.
//
// The bounds of siblings hold for what each actor has written, too. Beyond them, replicas that replace the same sibling at the
// same time would multiply it, again and again, though none of them makes the key larger. So all that can live is a bound's
// worth, or one value, for each actor.

import type { Version } from './container.js';
import { compareDots } from './dot.js';

/** Clients with stale contexts make siblings; who has read them all can replace them. */
export const SIBLINGS_MAX = 64;
export const SIBLING_BYTES_MAX = 8 * 1024 * 1024;

/** Elements, fields with their siblings, partial sums. Half a million dots a second are decoded: a read takes 20 ms at most. */
export const PARTS_MAX = 10_000;
/** As large as a register's value may be by default: what is added to a large set writes and sends this much each time. */
export const PARTS_BYTES_MAX = 1024 * 1024;

interface Extent {
  siblings: number;
  siblingBytes: number;
  parts: number;
  partsBytes: number;
}

/** Why a write may not leave these versions where those were before. */
export function refusalOf(
  before: readonly Version[],
  after: readonly Version[],
): 'too-many-siblings' | 'too-large' | undefined {
  // Most keys are one plain value, which has a limit of its own.
  if (after.length === 0 || (after.length === 1 && after[0]!.type === 'register')) return undefined;
  const extent = extentOf(after);
  const isLarge = extent.parts > PARTS_MAX || extent.partsBytes > PARTS_BYTES_MAX;
  if (!hasManySiblings(extent) && !isLarge) return undefined;
  const former = extentOf(before);
  if (hasManySiblings(extent)) {
    if (hasMoreSiblings(former, extent)) return 'too-many-siblings';
    const author = after.find((version) => before.every((each) => compareDots(each, version) !== 0))?.actor;
    const own = (versions: readonly Version[]): Extent => extentOf(versions.filter(({ actor }) => actor === author));
    if (hasManySiblings(own(after)) && hasMoreSiblings(own(before), own(after))) return 'too-many-siblings';
  }
  if (isLarge && (extent.parts > former.parts || extent.partsBytes > former.partsBytes)) return 'too-large';
  return undefined;
}

/** A single value has a limit of its own. */
function hasManySiblings({ siblings, siblingBytes }: Extent): boolean {
  return siblings > 1 && (siblings > SIBLINGS_MAX || siblingBytes > SIBLING_BYTES_MAX);
}

function hasMoreSiblings(former: Extent, { siblings, siblingBytes }: Extent): boolean {
  return siblings > former.siblings || (siblingBytes > SIBLING_BYTES_MAX && siblingBytes > former.siblingBytes);
}

function extentOf(versions: readonly Version[]): Extent {
  const extent: Extent = { siblings: 0, siblingBytes: 0, parts: 0, partsBytes: 0 };
  for (const { type, part, value } of versions) {
    if (type === 'register') {
      extent.siblings++;
      extent.siblingBytes += value.length;
    } else {
      extent.parts++;
      extent.partsBytes += utf8Bytes(part) + value.length;
    }
  }
  return extent;
}

function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let place = 0; place < text.length; place++) {
    const unit = text.charCodeAt(place);
    if (unit >= 0x80) bytes++;
    // The two halves of a pair stand for four bytes together.
    if (unit >= 0x800 && (unit < 0xd800 || unit > 0xdfff)) bytes++;
  }
  return bytes;
}
