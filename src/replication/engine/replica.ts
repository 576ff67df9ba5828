// The protocol as a value: what happened goes in, what to write, send and answer comes out.
//
// `step` runs to its end without I/O, timers, wall time or randomness. Its outputs hold only once its writes are
// committed: the shell commits them, then sends and answers. Production and simulation run this very class.

import { actorName } from '../../clock/dot.js';
import { reachOf } from '../../clock/dotted-vector.js';
import { isForgotten, type Members } from '../../clock/membership.js';
import { countBeyond, descends, type VersionVector } from '../../clock/version-vector.js';
import type { Settled } from './acknowledgements.js';
import { digestAhead, digestNow } from './ahead.js';
import { applyBatch, sweepAhead } from './apply.js';
import { bootstrapFrom, endIdleBootstrap, settleClaims, takePiece } from './bootstrap.js';
import { beginsBootstrap, clockMessage, compared, compareWith, heardFrom, pullFrom, pullRefused } from './compare.js';
import { expire } from './expire.js';
import type { Input } from './input.js';
import { checkIncarnation, checkIncarnations } from './incarnation.js';
import { invariant } from './invariant.js';
import { findMembers, forgetMember, learnMembers, standingOf, type Standing } from './members.js';
import type { Batch, ClockMessage, PeerAnswer } from './messages.js';
import type { Output, Reply } from './output.js';
import { dependOn } from './past.js';
import { peerFailed } from './peer-failure.js';
import type { Progress } from './progress.js';
import { learnClock, pushAnswered } from './push.js';
import { giveUpRead, read, readAnswered, tickQuorumReads } from './quorum-reads.js';
import { awaitAcks, forgetRequests } from './requests.js';
import { noteDead, seal } from './seal.js';
import { fetched, noticeDamage, tickRepairs } from './repair.js';
import { Effects } from './effects.js';
import {
  initialState,
  isIntroduced,
  type Identity,
  type LoadedState,
  type Peer,
  type ReplicaState,
  type Stored,
} from './state.js';
import { suspect } from './suspects.js';
import { trim } from './trim.js';
import { write } from './write.js';

/** Keys ahead looked over at each tick, so that they drain in an idle cluster too. */
const SWEPT_PER_TICK = 1000;

type BatchAnswer = Extract<PeerAnswer, { kind: 'batch' }>;
type PeerRequestInput = Extract<Input, { kind: 'peer-request' }>;
type PeerAnswerInput = Extract<Input, { kind: 'peer-answer' }>;

export class Replica {
  private readonly state: ReplicaState;

  constructor(identity: Identity, loaded: LoadedState) {
    const { name } = identity;
    invariant(actorName(loaded.actor) === name, `the store belongs to ${loaded.actor}, not to a node named ${name}`);
    this.state = initialState(identity, loaded);
    digestNow(this.state);
  }

  /** What the replica knows after all steps so far, committed or not. */
  get clock(): VersionVector {
    return this.state.clock;
  }

  get actor(): string {
    return this.state.actor;
  }

  get peers(): readonly Readonly<Peer>[] {
    return [...this.state.peers.values()];
  }

  /** By name, forgotten ones too. */
  get members(): Members {
    return this.state.members;
  }

  /** What this node is to the others, as far as it has heard. */
  get standing(): Standing {
    return standingOf(this.state);
  }

  /** Keys whose records can't be read. */
  get damaged(): ReadonlyMap<string, unknown> {
    return this.state.repairs.damaged;
  }

  /** Whether somebody waits until others have a write. */
  get areAcksAwaited(): boolean {
    return this.state.acknowledgements.areAwaited;
  }

  /** How far it has come since the start. */
  get progress(): Progress {
    const { bootstrap, caughtUpAt, floor, peers } = this.state;
    const answered = [...peers.values()].some((peer) => peer.hasAnswered);
    return { isIntroduced: isIntroduced(this.state), answered, caughtUpAt, bootstrap, floor };
  }

  /** When `stored` throws, the step has changed nothing, but that it may have begun a new incarnation. */
  step(input: Input, stored: Stored): Output {
    const effects = new Effects();
    this.react(input, stored, effects);
    return effects.output(this.state);
  }

  private react(input: Input, stored: Stored, effects: Effects): void {
    const { state } = this;
    switch (input.kind) {
      case 'write':
        // A context of this cluster that knows more of this node is the same evidence as a peer's clock.
        if (input.context !== undefined) {
          checkIncarnation(this.state, reachOf(input.context), effects);
          checkIncarnation(this.state, input.context.past, effects);
        }
        return write(state, input, stored, effects);
      case 'read':
        return read(state, input, stored, effects);
      case 'await-acks':
        return awaitAcks(state, input, effects);
      case 'give-up': {
        const settled = state.acknowledgements.giveUp(input.id);
        if (settled) effects.replies.push(replyOf(settled));
        return giveUpRead(state, input.id, effects);
      }
      case 'peer-request':
        return this.answerPeer(input, stored, effects);
      case 'peer-answer':
        return this.peerAnswered(input, stored, effects);
      case 'peer-failure':
        return peerFailed(state, input, effects);
      case 'forget':
        effects.replies.push({ id: input.id, kind: 'forget', result: forgetMember(state, input.name, effects) });
        return;
      case 'found':
        return findMembers(state, input.members, effects);
      case 'damaged':
        return noticeDamage(state, input, effects);
      case 'forget-requests':
        return forgetRequests(input.places, stored, effects);
      case 'suspected':
        return suspect(state, input.keys);
      case 'expire':
        return expire(state, input, stored, effects);
      case 'tick': {
        sweepAhead(state, SWEPT_PER_TICK, effects);
        settleClaims(state, effects);
        if (state.peers.size === 0) endIdleBootstrap(state, effects);
        seal(state, effects);
        trim(state, effects);
        if (digestAhead(state) || state.dead.size > 0) noteDead(state);
        for (const peer of state.peers.values()) compareWith(state, peer, effects);
        tickRepairs(state, effects);
        tickQuorumReads(state, effects);
        return;
      }
    }
  }

  private answerPeer({ id, from, request, wallMs }: PeerRequestInput, stored: Stored, effects: Effects): void {
    const { state } = this;
    switch (request.kind) {
      case 'push': {
        const peer = state.peers.get(from);
        if (peer !== undefined) learnClock(peer, request.batch.clock, undefined);
        if (!isForgotten(state.members.get(from))) this.apply(from, request.batch, stored, wallMs, effects);
        effects.replies.push({ id, kind: 'clock', ...clockMessage(state, undefined) });
        return;
      }
      case 'compare':
        this.heard(from, request.clock, request, effects);
        effects.replies.push({ id, kind: 'clock', ...clockMessage(state, request.actor) });
        return;
      case 'pull':
        if (request.wants === 'dots') this.heard(from, request.since, undefined, effects);
        else checkIncarnation(state, request.since, effects);
        effects.replies.push({ id, kind: 'batch', to: from, since: request.since, wants: request.wants });
        return;
      case 'pull-ahead':
        effects.replies.push({ id, kind: 'ahead-batch', after: request.after });
        return;
      case 'pull-keys': {
        const peer = state.peers.get(from);
        if (peer !== undefined && request.after === undefined) beginsBootstrap(state, peer);
        effects.replies.push({ id, kind: 'piece', after: request.after });
        return;
      }
      case 'members':
        learnMembers(state, from, request.members, effects);
        effects.replies.push({ id, kind: 'members', members: state.members });
        return;
      case 'fetch':
        effects.replies.push({ id, kind: 'fetched', keys: request.keys });
        return;
      case 'digest': {
        const { span, clock, digest } = request;
        checkIncarnation(state, clock, effects);
        effects.replies.push({ id, kind: 'digest', span, clock, digest });
        return;
      }
    }
  }

  private peerAnswered(input: PeerAnswerInput, stored: Stored, effects: Effects): void {
    const { state } = this;
    const { from, to, answer, wallMs } = input;
    const peer = state.peers.get(from);
    if (peer === undefined) return;
    switch (answer.kind) {
      case 'clock':
        checkIncarnation(this.state, answer.clock, effects);
        checkIncarnation(this.state, answer.yours, effects);
        this.settleWrites(from, answer.clock, effects);
        if (to === 'repair') return learnClock(peer, answer.clock, answer.actor);
        if (to === 'push') pushAnswered(state, peer, answer, effects);
        else compared(state, peer, answer, effects);
        return;
      case 'batch':
        if (to === 'pull') this.pulled(peer, answer.batch, stored, wallMs, effects);
        else if (to === 'fetch') this.fetched(peer, answer, stored, wallMs, effects);
        else if (to === 'read') this.readAnswered(peer, input, answer, stored, effects);
        else this.pulledAhead(peer, answer, stored, wallMs, effects);
        return;
      case 'members':
        peer.wasToldMembers = true;
        learnMembers(state, from, answer.members, effects);
        peer.hasBeenTried = true;
        return;
      case 'below-floor':
        checkIncarnation(this.state, answer.clock, effects);
        if (state.pullingFrom === from) state.pullingFrom = undefined;
        return pullRefused(state, peer, answer.floor, effects);
      case 'take-all':
        checkIncarnation(this.state, answer.clock, effects);
        if (state.pullingFrom === from) state.pullingFrom = undefined;
        // The question may be old: what it lacked has come by then.
        if (!descends(state.clock, answer.clock)) bootstrapFrom(state, peer, effects);
        return;
      case 'digests':
        throw new TypeError('digests are compared by the scrubber');
      case 'piece': {
        const { piece } = answer;
        checkIncarnations(this.state, piece, effects);
        if (input.local === undefined) throw new TypeError('a piece came without the local keys of its span');
        return takePiece(state, from, piece, input.local, stored, wallMs, effects);
      }
    }
  }

  private pulled(peer: Peer, batch: Batch, stored: Stored, wallMs: number, effects: Effects): void {
    const { state } = this;
    if (state.pullingFrom === peer.name) state.pullingFrom = undefined;
    peer.failedPull = 0;
    const isApplied = this.apply(peer.name, batch, stored, wallMs, effects);
    learnClock(peer, batch.clock, undefined);
    endIdleBootstrap(state, effects);
    // An answer without dots to who asked for the way: their origins wait for a word to push them.
    if (batch.ranges.length === 0) for (const each of state.peers.values()) compareWith(state, each, effects);
    // Without progress the next comparison decides anew, perhaps for another peer.
    if (isApplied && batch.ranges.length > 0 && countBeyond(batch.clock, state.clock) > 0) {
      pullFrom(state, peer, 'dots', effects);
    }
  }

  private pulledAhead(peer: Peer, answer: BatchAnswer, stored: Stored, wallMs: number, effects: Effects): void {
    const { state } = this;
    this.apply(peer.name, answer.batch, stored, wallMs, effects);
    learnClock(peer, answer.batch.clock, undefined);
    state.pullingAheadFrom = answer.next === undefined ? undefined : peer.name;
    if (answer.next !== undefined) effects.sends.push({ to: peer.name, kind: 'pull-ahead', after: answer.next });
  }

  private fetched(peer: Peer, answer: BatchAnswer, stored: Stored, wallMs: number, effects: Effects): void {
    checkIncarnations(this.state, answer.batch, effects);
    dependOn(this.state, answer.batch.past);
    fetched(this.state, peer, answer, stored, wallMs, effects);
    // Last: who is answered waits no more, also when a record that can't be read ends the step.
    this.settleWrites(peer.name, answer.batch.clock, effects);
  }

  private readAnswered(
    peer: Peer,
    { readId, wallMs }: PeerAnswerInput,
    { batch }: BatchAnswer,
    stored: Stored,
    effects: Effects,
  ): void {
    if (readId === undefined) throw new TypeError('an answer to a read came without its id');
    checkIncarnations(this.state, batch, effects);
    readAnswered(this.state, peer, readId, batch, stored, wallMs, effects);
    this.settleWrites(peer.name, batch.clock, effects);
  }

  private heard(from: string, clock: VersionVector, told: ClockMessage | undefined, effects: Effects): void {
    checkIncarnation(this.state, clock, effects);
    if (told !== undefined) checkIncarnation(this.state, told.yours, effects);
    this.settleWrites(from, clock, effects);
    const peer = this.state.peers.get(from);
    if (peer !== undefined) heardFrom(this.state, peer, clock, told, effects);
  }

  private apply(from: string, batch: Batch, stored: Stored, wallMs: number, effects: Effects): boolean {
    checkIncarnations(this.state, batch, effects);
    const isApplied = applyBatch(this.state, from, batch, stored, wallMs, effects);
    this.settleWrites(from, batch.clock, effects);
    return isApplied;
  }

  private settleWrites(from: string, clock: VersionVector, effects: Effects): void {
    if (!this.state.peers.has(from)) return;
    for (const settled of this.state.acknowledgements.heard(from, clock, this.state.actor)) {
      effects.replies.push(replyOf(settled));
    }
  }
}

function replyOf({ id, result, acks }: Settled): Reply {
  return result === undefined ? { id, kind: 'acks', acks } : { id, kind: 'write', result };
}
