// Which state of a key is this? The entity tag names the set of live dots: equal at all converged replicas, different
// after every write, whatever the bytes.

import { hash } from 'node:crypto';
import { formatDot } from '../../clock/dot.js';
import type { Version } from '../../clock/container.js';

/** A strong entity tag, with its quotes. Call it only when something lives. */
export function entityTag(versions: readonly Version[]): string {
  if (versions.length === 1) return `"${formatDot(versions[0]!)}"`;
  return `"${hash('sha256', versions.map(formatDot).join(' '), 'base64url').slice(0, 22)}"`;
}

/** Entity tags, weak ones too, with commas between them, more than one perhaps (RFC 9110, sections 5.6.1 and 8.8.3). */
const TAG_LIST = /^[\s,]*(?:W\/)?"[^"]*"(?:\s*,[\s,]*(?:W\/)?"[^"]*")*[\s,]*$/;

/** Whether a header is `*` or a list of entity tags. */
export function isTagList(list: string): boolean {
  return list.trim() === '*' || TAG_LIST.test(list);
}

/**
 * Whether a list of entity tags, or `*`, matches the live versions; false when nothing lives. A weak tag matches only
 * where `isWeakAllowed`: in `If-None-Match`, not in `If-Match` (RFC 9110, section 13.1).
 */
export function matchesTag(list: string, versions: readonly Version[], isWeakAllowed: boolean): boolean {
  if (versions.length === 0) return false;
  if (list.trim() === '*') return true;
  const tag = entityTag(versions);
  return list.split(',').some((candidate) => {
    const listed = candidate.trim();
    return listed === tag || (isWeakAllowed && listed === `W/${tag}`);
  });
}
