// Who are the others, and what if that changes?
//
// Replicas tell each other a digest of the members they know, and exchange the list when it differs. So one who joins
// needs to know one member, and a member that is forgotten at one replica is forgotten at all. A node that finds itself
// forgotten stops taking writes: nobody would get them. With an empty disk it joins anew.

import { describeMembers, forget, isForgotten, isMember, mergeMembers, type Members } from '../../clock/membership.js';
import { hash52 } from './ahead.js';
import { interruptBootstrap } from './bootstrap.js';
import type { ForgetResult } from './output.js';
import type { Effects } from './effects.js';
import { isIntroduced, unheard, type Peer, type ReplicaState } from './state.js';

/** A cluster is small: every write goes to every member, and clocks and acknowledgements grow with them. */
export const MEMBERS_MAX = 16;

/** Members change seldom, and their digest goes out with every comparison. */
const digests = new WeakMap<Members, number>();

/** Names the members and their versions; 0 when the members are addresses without names, which can't be told to others. */
export function membersDigest({ members, isNamed }: ReplicaState): number {
  if (!isNamed) return 0;
  let digest = digests.get(members);
  if (digest === undefined) digests.set(members, (digest = hash52(describeMembers(members))));
  return digest;
}

/** Whether the lists of members are the same, or can't be told. */
export function hasSameMembers(state: ReplicaState, digest: number): boolean {
  return [0, digest].includes(membersDigest(state)) || digest === 0;
}

export function exchangeMembers(state: ReplicaState, peer: Peer, digest: number, effects: Effects): void {
  const mine = membersDigest(state);
  if (mine === 0 || digest === 0) return;
  // Addresses are not in the digest. And one that lists just the members there are differs from them in nothing, and is none
  // of them yet.
  if (mine === digest && peer.wasToldMembers && !isJoining(state)) return;
  effects.sends.push({ to: peer.name, kind: 'members', members: state.members });
}

/** `from` told its members. */
export function learnMembers(state: ReplicaState, from: string, told: Members, effects: Effects): void {
  if (!state.isNamed) return;
  const merged = new Map(mergeMembers(state.members, told));
  const own = merged.get(state.name);
  if (isJoining(state)) {
    const version = own?.version ?? 0;
    merged.set(state.name, { url: state.url, version: version + (version % 2) });
  }
  const sender = told.get(from);
  const known = merged.get(from);
  // It knows best where it is, unless the own configuration says otherwise.
  if (sender?.version === known?.version && sender !== undefined && !state.configured.has(from))
    merged.set(from, sender);
  accept(state, merged, from, effects);
}

/** A name service lists these: who was forgotten stays so, and of a known one it says nothing new. */
export function findMembers(state: ReplicaState, found: Members, effects: Effects): void {
  if (!state.isNamed) return;
  if (found.has(state.name)) state.awaitsMembers = false;
  const merged = new Map(state.members);
  for (const [name, member] of found) if (name !== state.name && !merged.has(name)) merged.set(name, member);
  accept(state, merged, 'a name service', effects);
}

function accept(state: ReplicaState, members: Members, from: string, effects: Effects): void {
  if ([...members.values()].filter(isMember).length <= MEMBERS_MAX) return setMembers(state, members, effects);
  effects.observations.push({ kind: 'too-many-members', from });
}

export function forgetMember(state: ReplicaState, name: string, effects: Effects): ForgetResult {
  if (name === state.name) return 'itself';
  if (!state.members.has(name)) return state.peers.has(name) ? 'unnamed' : 'unknown';
  setMembers(state, forget(state.members, name), effects);
  return 'forgotten';
}

/**
 * What a node is to the others, as far as it has heard. Forgotten: they have removed it, and nobody would get what it takes.
 * Joining: none has told it of the members yet, and one that is removed now comes back. Unlisted: none has told of it, and it
 * has no address to join with. Unnamed: its peers are addresses only, which tell nothing of members.
 * One that is alone is the only member.
 */
export type Standing = 'unfound' | 'joining' | 'member' | 'unlisted' | 'unnamed' | 'forgotten';

export function standingOf(state: ReplicaState): Standing {
  if (isOwnNameForgotten(state)) return 'forgotten';
  if (state.awaitsMembers) return 'unfound';
  if (state.members.has(state.name) || state.peers.size === 0) return 'member';
  if (!state.isNamed) return 'unnamed';
  return isJoining(state) ? 'joining' : 'unlisted';
}

function isOwnNameForgotten({ members, name }: ReplicaState): boolean {
  return isForgotten(members.get(name));
}

/** Not known to itself: its disk is new. It joins, for the first time or again. */
function isJoining(state: ReplicaState): state is ReplicaState & { readonly url: string } {
  return !state.members.has(state.name) && state.url !== undefined;
}

function setMembers(state: ReplicaState, members: Members, effects: Effects): void {
  if (isSame(members, state.members)) return;
  const isTried = isIntroduced(state) && !state.awaitsMembers;
  state.awaitsMembers = false;
  const wasForgotten = isOwnNameForgotten(state);
  const isOwnNew = members.get(state.name) !== state.members.get(state.name);
  effects.setMembers(state, members);
  // All must have been level with those who belong now.
  for (const peer of state.peers.values()) peer.levels.clear();
  if (isOwnNew) for (const peer of state.peers.values()) peer.wasToldMembers = false;
  if (!wasForgotten && isOwnNameForgotten(state)) effects.observations.push({ kind: 'forgotten' });
  for (const [name, membership] of members) {
    if (name === state.name) continue;
    if (isMember(membership) && !state.peers.has(name)) {
      state.peers.set(name, { ...unheard(name), hasBeenTried: isTried });
      effects.observations.push({ kind: 'member-joined', peer: name, url: membership.url });
    } else if (!isMember(membership) && state.peers.delete(name)) {
      abandon(state, name);
      effects.observations.push({ kind: 'member-forgotten', peer: name });
    }
  }
}

function abandon(state: ReplicaState, name: string): void {
  if (state.pullingFrom === name) state.pullingFrom = undefined;
  if (state.pullingAheadFrom === name) state.pullingAheadFrom = undefined;
  interruptBootstrap(state, name);
}

function isSame(left: Members, right: Members): boolean {
  if (left.size !== right.size) return false;
  for (const [name, { url, version }] of left) {
    const other = right.get(name);
    if (other?.url !== url || other.version !== version) return false;
  }
  return true;
}
