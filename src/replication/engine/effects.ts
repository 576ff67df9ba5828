// What does a step want done? Writes for the store, messages, answers and what there is to observe.

import type { Container, Version } from '../../clock/container.js';
import type { Claims } from '../../clock/claims.js';
import type { Actor, Dot } from '../../clock/dot.js';
import type { Members } from '../../clock/membership.js';
import {
  keptRequest,
  type KeptRequest,
  type LoggedRequest,
  type RequestChange,
  type RequestPlace,
} from '../../clock/request.js';
import { beyond, type VersionVector } from '../../clock/version-vector.js';
import { deadlineChanges, type DeadlineChange } from './deadlines.js';
import type { LoggedDot, Observation, Output, Reply, Send } from './output.js';
import type { ReplicaState } from './state.js';

/** Collects what a step wants done. */
export class Effects {
  private readonly contexts: (readonly [string, VersionVector])[] = [];
  private readonly containers: (readonly [string, Container])[] = [];
  private readonly deadlines: DeadlineChange[] = [];
  private readonly log: LoggedDot[] = [];
  private readonly requests: RequestChange[] = [];
  private isChanged = false;
  private claims: Claims | undefined;
  private members: Members | undefined;
  readonly sends: Send[] = [];
  readonly replies: Reply[] = [];
  readonly observations: Observation[] = [];

  /**
   * Stores a stripped container, and keeps account of the keys ahead and of the deadlines. Whoever stores all of a key has read
   * it, or has it from others: it is damaged no more.
   * @param were the versions so far; none where they can't be read
   */
  store(state: ReplicaState, key: string, container: Container, were: readonly Version[], wallMs: number): void {
    state.repairs.damaged.delete(key);
    this.keepAccount(state, key, container.context);
    this.containers.push([key, container]);
    for (const change of deadlineChanges(key, were, container.versions, wallMs)) this.deadlines.push(change);
  }

  /** Stores what is left of a key's context; its versions stay as they are. */
  storeContext(state: ReplicaState, key: string, context: VersionVector): void {
    this.keepAccount(state, key, context);
    this.contexts.push([key, context]);
  }

  logDot(actor: Actor, counter: number, key: string, request?: LoggedRequest): void {
    this.log.push({ actor, counter, key, request });
    this.isChanged = true;
  }

  /** A dot with the request whose first one it is, if it has a name. */
  logRequest(dot: Dot, key: string, request: LoggedRequest | undefined, wallMs: number): void {
    this.logDot(dot.actor, dot.counter, key, request);
    if (request !== undefined) this.remember({ key, id: request.id }, keptRequest(key, dot, request, wallMs));
  }

  /** Undefined: not any more. */
  remember(place: RequestPlace, request: KeptRequest | undefined): void {
    this.requests.push([place, request]);
    this.isChanged = true;
  }

  /** The node record differs though no container does. */
  touchNode(): void {
    this.isChanged = true;
  }

  setClaims(state: ReplicaState, claims: Claims): void {
    state.claims = claims;
    this.claims = claims;
    this.isChanged = true;
  }

  setMembers(state: ReplicaState, members: Members): void {
    state.members = members;
    this.members = members;
    this.isChanged = true;
  }

  output({ actor, clock, stamp, floor, past, bootstrap }: ReplicaState): Output {
    const node = this.isChanged
      ? {
          actor,
          clock,
          stamp,
          floor,
          past: beyond(past, clock),
          bootstrap: bootstrap && { through: bootstrap.through },
        }
      : undefined;
    return {
      writes: {
        claims: this.claims,
        members: this.members,
        contexts: this.contexts,
        containers: this.containers,
        log: this.log,
        deadlines: this.deadlines,
        requests: this.requests,
        node,
      },
      sends: this.sends,
      replies: this.replies,
      observations: this.observations,
    };
  }

  private keepAccount(state: ReplicaState, key: string, context: VersionVector): void {
    if (context.size > 0) state.ahead.set(key, context);
    else state.ahead.delete(key);
    if (state.bootstrap?.from !== undefined) state.bootstrap.touched.add(key);
    this.isChanged = true;
  }
}
