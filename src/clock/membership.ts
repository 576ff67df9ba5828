// Who belongs to the cluster, as a value that replicas can merge?
//
// Each node has an entry with a version that counts its changes: even, it belongs; odd, it was forgotten. The higher
// version wins, so a change made anywhere is the same everywhere, however late it is heard.

export interface Membership {
  /** Where the node takes requests, without a trailing slash. */
  readonly url: string;
  readonly version: number;
}

/** By node name. */
export type Members = ReadonlyMap<string, Membership>;

export const NO_MEMBERS: Members = new Map();

export function isMember(membership: Membership | undefined): boolean {
  return membership !== undefined && membership.version % 2 === 0;
}

/** Whether the node was a member and is none any more. */
export function isForgotten(membership: Membership | undefined): boolean {
  return membership !== undefined && membership.version % 2 === 1;
}

/** The newer entry of each node; of two with the same version, that of `mine`. `mine` itself when nothing is new. */
export function mergeMembers(mine: Members, theirs: Members): Members {
  let merged: Map<string, Membership> | undefined;
  for (const [name, membership] of theirs) {
    const known = mine.get(name);
    if (known !== undefined && known.version >= membership.version) continue;
    merged ??= new Map(mine);
    merged.set(name, membership);
  }
  return merged ?? mine;
}

/** The members after this one has been forgotten; `members` itself when it is no member. */
export function forget(members: Members, name: string): Members {
  const known = members.get(name);
  if (known === undefined || isForgotten(known)) return members;
  return new Map(members).set(name, { url: known.url, version: known.version + 1 });
}

/** Equal for members with equal names and versions. */
export function describeMembers(members: Members): string {
  return [...members]
    .map(([name, { version }]) => `${name}:${version}`)
    .sort()
    .join(' ');
}
