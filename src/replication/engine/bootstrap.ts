// What if the log does not reach back to where a replica stands?
//
// A new, wiped or long absent replica takes over all keys instead, piece by piece in their order. A piece is merged with
// everything in its span, keys that only this replica has included: a key that the peer does not have is known by the
// peer to have no live version, so what the peer's clock covers of it is gone. Nothing deleted rises again.
//
// The node clock can't move before the last piece, so what is known of the keys that are done is claimed of their range.
// Any peer can go on where another one stopped, each with its own clock. In the end, what is claimed of all keys goes
// into the clock, and whatever was written meanwhile comes as ranges of dots. A crash loses the piece under way at most.

import { claimedByAll, claimOf, isWithin, NO_CLAIMS, raise, settle, type Claims } from '../../clock/claims.js';
import { adopt, EMPTY_CONTAINER, fill, isEmpty, strip, sync, type Container } from '../../clock/container.js';
import { keep } from '../../clock/lifetime.js';
import { beyond, countBeyond, counterOf, EMPTY_VECTOR, join, type VersionVector } from '../../clock/version-vector.js';
import type { LocalKeys } from './input.js';
import { isSame, observeStamps } from './merge.js';
import type { Piece } from './messages.js';
import { dependOn } from './past.js';
import { takeRequests } from './requests.js';
import type { Effects } from './effects.js';
import { PIECE_COMPARISONS_MIN, type Bootstrap, type Peer, type ReplicaState, type Stored } from './state.js';

/**
 * A peer that answers comparisons but sends no piece has lost the request, or is slow: it is asked again, and waited for
 * twice as long; in the end longer than the transport waits for an answer.
 */
const PIECE_COMPARISONS_MAX = 80;

/** Takes over all keys from this peer, or goes on with it where the last one stopped. */
export function bootstrapFrom(state: ReplicaState, peer: Peer, effects: Effects): void {
  if (state.bootstrap?.from !== undefined) return;
  const { through, patience } = state.bootstrap ?? { through: undefined, patience: PIECE_COMPARISONS_MIN };
  effects.observations.push({ kind: 'bootstrap-started', peer: peer.name, after: through });
  ask(state, peer.name, { through, patience }, effects);
  effects.touchNode();
}

/** What the peer was asked for has not come, or was refused: others have their turn before it. */
export function pullFailed(state: ReplicaState, peer: Peer): void {
  peer.failedPull = ++state.failedPulls;
  peer.claimsDiffered = 0;
}

/**
 * Whether the peer has failed, and another one that has some of what is wanted has not, or longer ago: so all have their turn,
 * whoever answers comparisons first. One that leaves them unanswered is not waited for.
 */
export function mayAnotherHelp(state: ReplicaState, { failedPull }: Peer, wanted: VersionVector): boolean {
  const canBeNext = (other: Peer): boolean => other.failedPull < failedPull && other.failedComparisons === 0;
  return [...state.peers.values()].some((other) => canBeNext(other) && mayHave(state, other, wanted));
}

/** Whether the peer can be asked for what is wanted and missing here, and has some of it, not just something else. */
export function mayHave(
  { clock }: ReplicaState,
  { isReachable, clock: theirs = EMPTY_VECTOR }: Peer,
  wanted: VersionVector,
): boolean {
  if (!isReachable) return false;
  return [...beyond(wanted, clock).keys()].some((actor) => counterOf(theirs, actor) > counterOf(clock, actor));
}

/** A peer that has answered comparisons for a while has lost the request; another one may go on. */
export function watchBootstrap(state: ReplicaState, peer: Peer): void {
  const { bootstrap } = state;
  if (bootstrap?.from !== peer.name) return;
  const comparisons = bootstrap.comparisons + 1;
  const patience = Math.min(2 * bootstrap.patience, PIECE_COMPARISONS_MAX);
  if (comparisons <= bootstrap.patience) state.bootstrap = { ...bootstrap, comparisons };
  else {
    state.bootstrap = { ...bootstrap, from: undefined, touched: new Set(), patience };
    pullFailed(state, peer);
  }
}

/**
 * A peer's log reaches back to here, or nobody knows more, or nobody is left: what is claimed stays, and the rest comes as
 * ranges of dots.
 */
export function endIdleBootstrap(state: ReplicaState, effects: Effects): void {
  if (state.bootstrap === undefined || state.bootstrap.from !== undefined) return;
  state.bootstrap = undefined;
  effects.touchNode();
}

/** The peer does not answer. What is done stays done. */
export function interruptBootstrap(state: ReplicaState, peer: string): void {
  if (state.bootstrap?.from === peer) state.bootstrap = { ...state.bootstrap, from: undefined, touched: new Set() };
}

/** Merges the piece that was asked for; any other one is late, and nothing is changed. */
export function takePiece(
  state: ReplicaState,
  from: string,
  piece: Piece,
  local: LocalKeys & { readonly attempt: number },
  stored: Stored,
  wallMs: number,
  effects: Effects,
): void {
  const { bootstrap } = state;
  if (bootstrap?.from !== from || bootstrap.attempt !== local.attempt) return;
  const { through } = local;
  const taken = { ...piece, span: { after: piece.span.after, through } };
  // Everything is read before anything is changed: a record that can't be read leaves the step without effect.
  const locals = localsOf(bootstrap, local, stored);
  takeRequests(
    piece.requests.filter(({ key }) => isWithin(taken.span, key)),
    stored,
    wallMs,
    effects,
  );
  dependOn(state, piece.past);
  const peer = state.peers.get(from);
  if (peer !== undefined) peer.failedPull = 0;
  // Nothing is awaited meanwhile: what the merge stores is not stored behind the back of a piece.
  state.bootstrap = { ...bootstrap, from: undefined };
  mergePiece(state, from, taken, locals, wallMs, effects);
  effects.observations.push({ kind: 'bootstrap-progressed', peer: from, keys: piece.containers.size });
  if (through === undefined) finish(state, effects);
  else ask(state, from, { through, patience: PIECE_COMPARISONS_MIN }, effects);
}

function ask(
  state: ReplicaState,
  from: string,
  { through, patience }: Pick<Bootstrap, 'through' | 'patience'>,
  effects: Effects,
): void {
  // Never given again: the answer to a piece of an earlier bootstrap may still be on its way.
  const attempt = ++state.piecesAsked;
  state.bootstrap = { through, from, attempt, touched: new Set(), comparisons: 0, patience };
  effects.sends.push({ to: from, kind: 'pull-keys', after: through, attempt });
}

/** What this replica has. What was stored since the piece was asked for, the shell may have missed. */
function localsOf({ touched }: Bootstrap, { containers }: LocalKeys, stored: Stored): ReadonlyMap<string, Container> {
  if (touched.size === 0) return containers;
  const locals = new Map(containers);
  for (const key of touched) locals.set(key, stored.container(key));
  return locals;
}

function mergePiece(
  state: ReplicaState,
  from: string,
  { span, clock, containers }: Omit<Piece, 'requests'>,
  locals: ReadonlyMap<string, Container>,
  wallMs: number,
  effects: Effects,
): void {
  const after = settle(raise(state.claims, span, clock), state.clock);
  const before = knownIn(state.clock, state.claims);
  const knownAfter = knownIn(state.clock, after);
  const merge = (key: string, local: Container, remote: Container): void => {
    if (!isWithin(span, key)) return;
    const known = before(key);
    const merged = isEmpty(local)
      ? adopt(remote, known, knownAfter(key))
      : strip(sync(fill(local, known), fill(remote, clock)), knownAfter(key));
    const left = keep(merged, wallMs);
    if (!isSame(local, left)) effects.store(state, key, left, local.versions, wallMs);
    observeStamps(state, from, key, remote, known, wallMs, effects);
  };
  for (const [key, remote] of containers) merge(key, locals.get(key) ?? EMPTY_CONTAINER, remote);
  for (const [key, local] of locals) if (!containers.has(key)) merge(key, local, EMPTY_CONTAINER);
  effects.setClaims(state, after);
}

/** What is known of one key after the other: few ranges have many keys. */
function knownIn(clock: VersionVector, claims: Claims): (key: string) => VersionVector {
  let claim = EMPTY_VECTOR;
  let known = clock;
  return (key) => {
    const claimed = claimOf(claims, key);
    if (claimed !== claim) [claim, known] = [claimed, join(clock, claimed)];
    return known;
  };
}

/** What is known of all keys by now goes into the clock. The log has nothing of it: it begins there. */
function finish(state: ReplicaState, effects: Effects): void {
  const reached = claimedByAll(state.claims, undefined);
  const floor = new Map(state.floor);
  for (const [actor, counter] of reached) if (counter > counterOf(state.clock, actor)) floor.set(actor, counter);
  effects.observations.push({ kind: 'bootstrap-ended', dots: countBeyond(reached, state.clock) });
  state.clock = join(state.clock, reached);
  state.floor = floor;
  state.bootstrap = undefined;
  effects.setClaims(state, settle(state.claims, state.clock));
}

/** Claims that the clock has caught up with need not be kept. */
export function settleClaims(state: ReplicaState, effects: Effects): void {
  if (state.claims.length === 0) return;
  const settled = settle(state.claims, state.clock);
  if (!isSameClaims(settled, state.claims)) effects.setClaims(state, settled.length === 0 ? NO_CLAIMS : settled);
}

/** What this replica will know when it has all keys: peers keep their logs from there on. Empty: nothing is under way. */
export function awaitedBy({ bootstrap, claims, clock }: ReplicaState): VersionVector {
  if (bootstrap?.through === undefined) return EMPTY_VECTOR;
  return join(clock, claimedByAll(claims, bootstrap.through));
}

function isSameClaims(left: Claims, right: Claims): boolean {
  if (left.length !== right.length) return false;
  // Settling only takes away, entry by entry.
  return left.every(({ clock }, place) => clock.size === right[place]!.clock.size);
}
