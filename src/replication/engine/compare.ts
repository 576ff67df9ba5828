// Who lacks what? Anti-entropy by clocks alone.
//
// Every node tells each peer its clock twice a second and hears the peer's. From the two clocks follows everything: whom
// to push own dots to, whom to pull missing ones from, and whether anything differs at all. An idle, converged cluster
// exchanges nothing else.

import type { Actor } from '../../clock/dot.js';
import {
  beyond,
  counterOf,
  countBeyond,
  descends,
  EMPTY_VECTOR,
  equalVectors,
  join,
  type VersionVector,
} from '../../clock/version-vector.js';
import { AHEAD_DIFFERS_MAX, claimsDigest } from './ahead.js';
import { heardOf } from './incarnation.js';
import {
  awaitedBy,
  bootstrapFrom,
  endIdleBootstrap,
  mayAnotherHelp,
  mayHave,
  pullFailed,
  watchBootstrap,
} from './bootstrap.js';
import { exchangeMembers, hasSameMembers, membersDigest } from './members.js';
import type { ClockMessage, PullWants } from './messages.js';
import { learnClock, pushTo, takesAgain, toldAwaited } from './push.js';
import { followSeals, observeLevel } from './seal.js';
import type { Effects } from './effects.js';
import { isIntroduced, type Peer, type ReplicaState } from './state.js';

/**
 * A pull whose peer has answered this many comparisons meanwhile (half a second each) counts as lost: the transport may
 * take much longer to give up a connection that died without a word. An answer that comes all the same is taken.
 */
const PULL_COMPARISONS_MAX = 10;

/** As far behind as this, a peer may know a shorter way than the dots that are missing, which their origins push. */
const FAR_BEHIND = 10_000;

/**
 * All keys are taken over for it, so it is no matter of a moment: who has just taken over all keys may be level for an instant
 * with one that lacks the same dots, which are on their way to both.
 */
const CLAIMS_DIFFER_MIN = 4;

/** Two a tick: half a second is not enough for a replica just started to ask for the way and take a first piece. */
const WORDS_UNTIL_PUSH = 8;

/** Dots that replicas lack of each other under constant load. */
const NEARLY_LEVEL = 2000;

export function compareWith(state: ReplicaState, peer: Peer, effects: Effects): void {
  if (peer.isComparing) return;
  peer.isComparing = true;
  peer.toldSince = EMPTY_VECTOR;
  effects.sends.push({ to: peer.name, kind: 'compare', ...clockMessage(state, peer.actor) });
}

/**
 * What this replica tells of itself, in every comparison and answer.
 * @param to the actor that is told what is known of it; undefined: nobody, for keys ahead are looked over for that
 */
export function clockMessage(state: ReplicaState, to: Actor | undefined): ClockMessage {
  const { clock, actor, aheadDigest, dead, sealed } = state;
  return {
    clock,
    actor,
    aheadDigest,
    claimsDigest: claimsDigest(state),
    membersDigest: membersDigest(state),
    dead: new Map(Array.from(dead, ([name, { digest }]) => [name, digest])),
    sealed,
    yours: heardOf(state, to),
    awaited: awaitedBy(state),
  };
}

/**
 * A peer told its clock, in a comparison of its own or in the answer to ours: it is there, and may lack own dots.
 * @param before what it had told until then
 */
export function heardFrom(
  state: ReplicaState,
  peer: Peer,
  clock: VersionVector,
  told: ClockMessage | undefined,
  effects: Effects,
  before: VersionVector = peer.clock ?? EMPTY_VECTOR,
): void {
  const known = counterOf(before, state.actor);
  learnClock(peer, clock, told?.actor);
  if (counterOf(peer.clock ?? clock, state.actor) > known) takesAgain(peer);
  if (told !== undefined) toldAwaited(peer, told.awaited);
  if (descends(clock, peer.awaited)) peer.awaited = EMPTY_VECTOR;
  const isFarBehind = countBeyond(state.clock, peer.clock ?? clock) > FAR_BEHIND;
  if (!isFarBehind) peer.wordsUntilPush = 0;
  else if (!peer.isReachable) peer.wordsUntilPush = WORDS_UNTIL_PUSH;
  else peer.wordsUntilPush = Math.max(0, peer.wordsUntilPush - 1);
  peer.isReachable = true;
  pushTo(state, peer, effects);
}

/** The answer to a comparison of ours: what do we lack, and does anything differ that no range covers? */
export function compared(state: ReplicaState, peer: Peer, answer: ClockMessage, effects: Effects): void {
  const isFirst = !peer.hasCompared;
  // Not when it is only heard from: it may never answer, and come up and go down at every comparison.
  if (isFirst) effects.observations.push({ kind: 'peer-up', peer: peer.name });
  peer.hasCompared = true;
  peer.isComparing = false;
  peer.failedComparisons = 0;
  peer.comparisonsUntilPush = Math.max(0, peer.comparisonsUntilPush - 1);
  if (!isIntroduced(state)) state.caughtUpAt = join(state.caughtUpAt, answer.clock);
  // An answer only: what a peer says unasked may have been on its way since before this replica started. Members that only the
  // peer knows are to be asked, too.
  if (hasSameMembers(state, answer.membersDigest)) peer.hasBeenTried = true;
  peer.hasAnswered = true;
  // It says all that the peer has told before the question. What was more was of an earlier disk, and came late: a pull does
  // not tell the actor that asks. Two that have lost their disks would for ever hope for each other.
  const before = peer.clock;
  if (answer.actor === peer.actor) peer.clock = peer.toldSince;
  heardFrom(state, peer, answer.clock, answer, effects, before);
  observeLevel(state, peer, answer);
  if (answer.sealed.size > 0) followSeals(state, answer.sealed, effects);
  exchangeMembers(state, peer, answer.membersDigest, effects);
  watchBootstrap(state, peer);
  if (state.pullingFrom === peer.name && ++state.pullComparisons > PULL_COMPARISONS_MAX) {
    state.pullingFrom = undefined;
    pullFailed(state, peer);
  }

  const lastBehind = peer.clockWhenBehind;
  const missing = countBeyond(answer.clock, state.clock);
  peer.clockWhenBehind = missing > 0 ? state.clock : undefined;
  const stalled = lastBehind === undefined ? EMPTY_VECTOR : stalledOf(state.clock, lastBehind, answer.clock);
  // What it has failed to send has come, or is coming.
  if (stalled.size === 0) peer.failedPull = 0;
  const mayAsk = !mayAnotherHelp(state, peer, stalled);
  if (mayAsk && isFirst && missing > FAR_BEHIND) pullFrom(state, peer, 'way', effects);
  else if (mayAsk && stalled.size > 0) pullFrom(state, peer, 'dots', effects);

  const isAheadSame = answer.aheadDigest === state.aheadDigest;
  const areClaimsSame = [0, claimsDigest(state)].includes(answer.claimsDigest);
  peer.aheadDiffered = isAheadSame && areClaimsSame ? 0 : peer.aheadDiffered + 1;
  if (areClaimsSame && state.bootstrap !== undefined && isBehindNobody(state)) endIdleBootstrap(state, effects);
  const isLevel = equalVectors(state.clock, answer.clock);
  // Who lacks many dots, or takes over all keys, knows more of many keys, and of most of them only until that is done.
  const isSettled = missing <= NEARLY_LEVEL && answer.awaited.size === 0;
  const isLasting = isSettled && peer.aheadDiffered % AHEAD_DIFFERS_MAX === 0;
  peer.claimsDiffered = isLevel && !areClaimsSame ? peer.claimsDiffered + 1 : 0;
  if (peer.aheadDiffered === 0 || !(isLevel || isLasting)) return;
  if (areClaimsSame) pullAheadFrom(state, peer, effects);
  // It knows more of whole ranges of keys, and nobody has the dots. What both know of ranges, neither keeps by the key.
  else if (mayAsk && (isLasting || peer.claimsDiffered >= CLAIMS_DIFFER_MIN)) bootstrapFrom(state, peer, effects);
}

/** What was to be taken over has come in another way, or those who had it have lost it. */
function isBehindNobody({ clock, peers }: ReplicaState): boolean {
  return [...peers.values()].every(
    (peer) => !peer.isReachable || peer.clock === undefined || descends(clock, peer.clock),
  );
}

/** The peer has asked for all keys: it will know what this replica knows. */
export function beginsBootstrap(state: ReplicaState, peer: Peer): void {
  peer.awaited = state.clock;
  peer.hasToldAwaited = false;
}

function pullAheadFrom(state: ReplicaState, peer: Peer, effects: Effects): void {
  if (state.pullingAheadFrom !== undefined) return;
  state.pullingAheadFrom = peer.name;
  effects.sends.push({ to: peer.name, kind: 'pull-ahead', after: undefined });
}

/** Asks for the dots that the peer has and we lack; one pull at a time, for every answer brings whole ranges. */
export function pullFrom(state: ReplicaState, peer: Peer, wants: PullWants, effects: Effects): void {
  if (state.pullingFrom !== undefined || state.bootstrap?.from !== undefined || peer.clock === undefined) return;
  state.pullingFrom = peer.name;
  state.pullComparisons = 0;
  effects.observations.push({ kind: 'pull-started', peer: peer.name, dots: countBeyond(peer.clock, state.clock) });
  effects.sends.push({ to: peer.name, kind: 'pull', since: state.clock, wants });
}

/**
 * The peer's log does not reach back. Another one's may, its origin's above all, which keeps it for whoever lacks it. Only
 * when nobody's does, all keys are taken over: it costs as much as there are keys, however little is missing.
 */
export function pullRefused(state: ReplicaState, peer: Peer, floor: VersionVector, effects: Effects): void {
  peer.floor = join(peer.floor, floor);
  // The question may be old: what it lacked has come by then.
  if (descends(state.clock, floor)) return;
  // One that is ahead of this replica in other dots is no way to these, and somebody may be ahead all the time.
  const canHelp = (other: Peer): boolean =>
    other.failedPull === 0 && mayHave(state, other, floor) && descends(state.clock, other.floor);
  const other = [...state.peers.values()].find(canHelp);
  if (other !== undefined) pullFrom(state, other, 'dots', effects);
  else if (!mayAnotherHelp(state, peer, floor)) bootstrapFrom(state, peer, effects);
}

/**
 * By actor, up to where dots are missing that were missing at the last comparison too and have not begun to come since:
 * their own actor does not push them (it is down, cut off, or restarted), so somebody must be asked.
 */
function stalledOf(clock: VersionVector, then: VersionVector, theirs: VersionVector): VersionVector {
  return new Map([...beyond(theirs, clock)].filter(([actor]) => counterOf(then, actor) === counterOf(clock, actor)));
}
