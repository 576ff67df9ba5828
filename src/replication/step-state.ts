// What do steps see? The newest state, committed or not: a step comes after those before it, whose writes may still be on their
// way to the disk. The group that gathers lies over the one that is being committed, and that over the store.

import type { Container } from '../clock/container.js';
import type { KeptRequest, RequestPlace } from '../clock/request.js';
import type { ReplicaStore } from '../store/replica-store.js';
import type { Output } from './engine/output.js';
import type { Stored } from './engine/state.js';
import { Group, type Answer } from './group.js';
import type { CommitWaiter } from './reply-waiter.js';

export class StepState implements Stored {
  /** Set while a commit is under way. */
  committing: Group | undefined;
  /** Steps since it began. */
  private gathering = new Group();
  /** What was read last, until a step changes something: who looks at a key before its step does not have it decoded twice. */
  private lastRead: { readonly key: string; readonly container: Container } | undefined;

  private readonly committedContainer = (key: string): Container => this.store.container(key);
  private readonly committedRequest = (place: RequestPlace): KeptRequest | undefined =>
    this.store.view.requests.kept(place);
  private readonly containerBefore = (key: string): Container =>
    this.committing === undefined ? this.store.container(key) : this.committing.container(key, this.committedContainer);
  private readonly requestBefore = (place: RequestPlace): KeptRequest | undefined =>
    this.committing === undefined
      ? this.committedRequest(place)
      : this.committing.requested(place, this.committedRequest);

  constructor(private readonly store: ReplicaStore) {}

  container(key: string): Container {
    if (this.lastRead?.key === key) return this.lastRead.container;
    const container = this.gathering.container(key, this.containerBefore);
    this.lastRead = { key, container };
    return container;
  }

  requested(place: RequestPlace): KeptRequest | undefined {
    return this.gathering.requested(place, this.requestBefore);
  }

  add(output: Output, answers: readonly Answer[]): void {
    if (output.writes.node !== undefined) this.lastRead = undefined;
    this.gathering.add(output, answers);
  }

  /** Hears when the steps so far are on disk. */
  wait(waiter: CommitWaiter): void {
    this.gathering.waiting.push(waiter);
  }

  /** Who has not been answered, since what the answer is about is not on disk. */
  get unanswered(): readonly Pick<CommitWaiter, 'reject'>[] {
    const groups = this.committing === undefined ? [this.gathering] : [this.committing, this.gathering];
    return groups.flatMap(({ answers, waiting }) => [...answers.map(({ waiter }) => waiter), ...waiting]);
  }

  /** What the steps since the last time amount to; undefined: to nothing. */
  takeGathered(): Group | undefined {
    const group = this.gathering;
    this.lastRead = undefined;
    if (group.isEmpty) return undefined;
    this.gathering = new Group();
    return group;
  }

  /** Whether a commit that is not over yet writes all of the key anew. */
  isBeingWritten(key: string): boolean {
    return this.gathering.writes(key) || this.committing?.writes(key) === true;
  }
}
