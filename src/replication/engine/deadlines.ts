// Which deadlines are to come, and of which keys?
//
// The store keeps an index of them, written in the commits that write the versions: what expires is found without looking
// at what does not. A version that is replaced before its time leaves the index. One that has had its time stays in it, for
// who follows the changes is told of it from there; such entries are removed after a while by the shell.

import type { Version } from '../../clock/container.js';

/** One entry of the index, or the end of one. */
export interface DeadlineChange {
  readonly deadlineMs: number;
  readonly key: string;
  readonly isSet: boolean;
}

/** What the index of deadlines learns when a key's versions `were` these and are those. */
export function deadlineChanges(
  key: string,
  were: readonly Version[],
  are: readonly Version[],
  wallMs: number,
): readonly DeadlineChange[] {
  if (!were.some(hasDeadline) && !are.some(hasDeadline)) return NONE;
  const changes: DeadlineChange[] = [];
  for (const version of were) {
    const { deadlineMs } = version;
    if (deadlineMs === undefined || deadlineMs <= wallMs || are.includes(version)) continue;
    changes.push({ deadlineMs, key, isSet: false });
  }
  // Two versions may have one deadline: the last word is that of the one that stays.
  for (const { deadlineMs } of are) if (deadlineMs !== undefined) changes.push({ deadlineMs, key, isSet: true });
  return changes;
}

const NONE: readonly DeadlineChange[] = [];

function hasDeadline({ deadlineMs }: Version): boolean {
  return deadlineMs !== undefined;
}
