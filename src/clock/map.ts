// Which versions does an operation on a map replace?
//
// To put a field, or to remove it, replaces the versions of that field that the author has seen. Puts of one field that
// raced are siblings, as of a register; other fields are not touched.

import type { Version } from './container.js';

/** The rule of an operation on these fields. */
export function mapReplaces(fields: ReadonlySet<string>): (version: Version) => boolean {
  return ({ type, part }) => type === 'map' && fields.has(part);
}
