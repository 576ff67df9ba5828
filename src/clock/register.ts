// Which versions does a register write replace?
//
// All that its author has seen: a put of a plain value, or a delete of whatever type, leaves alive only what raced with it.
// (Every type shares one container and differs in this rule alone.)

import type { Version } from './container.js';

/** The register's replace rule: every version, whatever it holds. */
export function registerReplaces(_version: Version): boolean {
  return true;
}
