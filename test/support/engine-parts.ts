// What does a test need to run the engine alone? An identity, a state to begin with, and what peers tell.

import { NO_CLAIMS } from '../../src/clock/claims.js';
import { NO_MEMBERS } from '../../src/clock/membership.js';
import type { ClockMessage } from '../../src/replication/engine/messages.js';
import type { Identity, LoadedState } from '../../src/replication/engine/state.js';
import { blankNode } from '../../src/store/record-codec.js';
import { vector } from './clock-arbitraries.js';

/** A node n1 whose peers are known by these names, and told nothing of each other. */
export function identityOf(peers: readonly string[], parts: Partial<Identity> = {}): Identity {
  return {
    name: 'n1',
    nextIncarnation: () => 'b',
    logMax: 1000,
    retentionTicks: 0,
    configured: NO_MEMBERS,
    unnamed: peers,
    url: undefined,
    awaitsMembers: false,
    ...parts,
  };
}

export function loadedState(parts: Partial<LoadedState> = {}): LoadedState {
  return { ...blankNode('n1.a'), claims: NO_CLAIMS, members: NO_MEMBERS, ahead: new Map(), ...parts };
}

export function toldBy(name: string, clock: Record<string, number>, parts: Partial<ClockMessage> = {}): ClockMessage {
  return {
    clock: vector(clock),
    actor: `${name}.b`,
    aheadDigest: 0,
    claimsDigest: 0,
    membersDigest: 0,
    dead: new Map(),
    sealed: new Map(),
    yours: vector({}),
    awaited: vector({}),
    ...parts,
  };
}
