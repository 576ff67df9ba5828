// The protocol as a value: what happened goes in, what to write, send and answer comes out.
//
// `step` runs to its end without I/O, timers, wall time or randomness. Its outputs hold only once its writes are
// committed: the shell commits them, then sends and answers. Production and simulation run this very class.

import { actorName } from '../../clock/dot.js';
import { counterOf, countBeyond, type VersionVector } from '../../clock/version-vector.js';
import { aheadDigest } from './ahead.js';
import { applyBatch, sweepAhead } from './apply.js';
import { compared, compareWith, heardFrom, pullFrom } from './compare.js';
import type { Input } from './input.js';
import { invariant } from './invariant.js';
import type { Batch } from './messages.js';
import type { Output } from './output.js';
import { pushAnswered } from './push.js';
import { Effects, initialState, type LoadedState, type Peer, type ReplicaState, type Stored } from './state.js';
import { write } from './write.js';

/** Keys ahead looked over at each tick, so that they drain in an idle cluster too. */
const SWEPT_PER_TICK = 1000;

type PeerRequestInput = Extract<Input, { kind: 'peer-request' }>;
type PeerFailureInput = Extract<Input, { kind: 'peer-failure' }>;
type PeerAnswerInput = Extract<Input, { kind: 'peer-answer' }>;

export class Replica {
  private readonly state: ReplicaState;

  constructor(name: string, peerNames: readonly string[], loaded: LoadedState, nextIncarnation: () => string) {
    invariant(actorName(loaded.actor) === name, `the store belongs to ${loaded.actor}, not to a node named ${name}`);
    this.state = initialState(name, peerNames, loaded, nextIncarnation);
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
        if (input.context !== undefined) this.checkIncarnation(input.context, effects);
        return write(state, input, stored, effects);
      case 'write-timeout': {
        const settled = state.acknowledgements.giveUp(input.id);
        if (settled) effects.replies.push({ id: settled.id, kind: 'write', result: settled.result });
        return;
      }
      case 'peer-request':
        return this.answerPeer(input, stored, effects);
      case 'peer-answer':
        return this.peerAnswered(input, stored, effects);
      case 'peer-failure':
        return this.peerFailed(input, effects);
      case 'tick': {
        sweepAhead(state, SWEPT_PER_TICK, effects);
        state.aheadDigest = aheadDigest(state);
        for (const peer of state.peers.values()) compareWith(state, peer, effects);
        return;
      }
    }
  }

  private answerPeer({ id, from, request, wallMs }: PeerRequestInput, stored: Stored, effects: Effects): void {
    const { state } = this;
    switch (request.kind) {
      case 'push': {
        const peer = state.peers.get(from);
        if (peer !== undefined) peer.clock = request.batch.clock;
        this.apply(from, request.batch, stored, wallMs, effects);
        effects.replies.push({ id, kind: 'clock', clock: state.clock, aheadDigest: state.aheadDigest });
        return;
      }
      case 'compare':
        this.heard(from, request.clock, effects);
        effects.replies.push({ id, kind: 'clock', clock: state.clock, aheadDigest: state.aheadDigest });
        return;
      case 'pull':
        this.heard(from, request.since, effects);
        effects.replies.push({ id, kind: 'batch', since: request.since });
        return;
      case 'pull-ahead':
        effects.replies.push({ id, kind: 'ahead-batch', after: request.after });
        return;
    }
  }

  private peerAnswered({ from, to, answer, wallMs }: PeerAnswerInput, stored: Stored, effects: Effects): void {
    const { state } = this;
    const peer = state.peers.get(from);
    if (peer === undefined) return;
    if (answer.kind === 'clock') {
      this.checkIncarnation(answer.clock, effects);
      this.settleWrites(from, answer.clock, effects);
      if (to === 'push') pushAnswered(state, peer, answer.clock, effects);
      else compared(state, peer, answer, effects);
      return;
    }
    if (to === 'pull' && state.pullingFrom === from) state.pullingFrom = undefined;
    const isApplied = this.apply(from, answer.batch, stored, wallMs, effects);
    peer.clock = answer.batch.clock;
    // Without progress the next comparison decides anew, perhaps for another peer.
    const isProgress = isApplied && answer.batch.ranges.length > 0;
    if (to === 'pull' && isProgress && countBeyond(answer.batch.clock, state.clock) > 0) pullFrom(state, peer, effects);
    if (to !== 'pull-ahead') return;
    state.pullingAheadFrom = answer.next === undefined ? undefined : from;
    if (answer.next !== undefined) effects.sends.push({ to: from, kind: 'pull-ahead', after: answer.next });
  }

  private peerFailed({ from, to, wasAnswered }: PeerFailureInput, effects: Effects): void {
    const { state } = this;
    const peer = state.peers.get(from);
    if (peer === undefined) return;
    if (to === 'push') peer.isPushing = false;
    if (to === 'compare') peer.isComparing = false;
    // A comparison that fails ends a pull too: its answer may take long to be given up, and another peer can help now.
    if (to !== 'push' && state.pullingFrom === from) state.pullingFrom = undefined;
    if (to !== 'push' && state.pullingAheadFrom === from) state.pullingAheadFrom = undefined;
    // What it refused is tried again after the next comparison.
    if (wasAnswered && to !== 'compare') return;
    peer.hasCompared = false;
    if (!peer.isReachable) return;
    peer.isReachable = false;
    effects.observations.push({ kind: 'peer-unreachable', peer: peer.name });
  }

  private heard(from: string, clock: VersionVector, effects: Effects): void {
    this.checkIncarnation(clock, effects);
    this.settleWrites(from, clock, effects);
    const peer = this.state.peers.get(from);
    if (peer !== undefined) heardFrom(this.state, peer, clock, effects);
  }

  private apply(from: string, batch: Batch, stored: Stored, wallMs: number, effects: Effects): boolean {
    this.checkIncarnation(batch.clock, effects);
    const isApplied = applyBatch(this.state, from, batch, stored, wallMs, effects);
    this.settleWrites(from, batch.clock, effects);
    return isApplied;
  }

  private settleWrites(from: string, clock: VersionVector, effects: Effects): void {
    if (!this.state.peers.has(from)) return;
    for (const { id, result } of this.state.acknowledgements.heard(from, clock, this.state.actor)) {
      effects.replies.push({ id, kind: 'write', result });
    }
  }

  /**
   * A peer that knows more of this actor than the node itself has seen dots that the node's disk has lost. To mint them
   * again would give two values one dot, and replicas would never agree: the node goes on as another actor.
   */
  private checkIncarnation(clock: VersionVector, effects: Effects): void {
    const { state } = this;
    if (counterOf(clock, state.actor) <= counterOf(state.clock, state.actor)) return;
    const retired = state.actor;
    state.actor = `${state.name}.${state.nextIncarnation()}`;
    effects.touchNode();
    effects.observations.push({ kind: 'new-incarnation', actor: state.actor, retired });
  }
}
