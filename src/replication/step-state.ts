// What do steps see? The newest state, committed or not: a step comes after those before it, whose writes may still be on their
// way to the disk. The group that gathers lies over the one that is being committed, and that over the store.

import type { Container } from '../clock/container.js';
import type { KeptRequest, RequestPlace } from '../clock/request.js';
import type { ReplicaStore } from '../store/replica-store.js';
import type { Output } from './engine/output.js';
import type { Stored } from './engine/state.js';
import { Group, type Answer } from './group.js';

export class StepState implements Stored {
  /** Set while a commit is under way. */
  committing: Group | undefined;
  /** Steps since it began. */
  private gathering = new Group();

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
    return this.gathering.container(key, this.containerBefore);
  }

  requested(place: RequestPlace): KeptRequest | undefined {
    return this.gathering.requested(place, this.requestBefore);
  }

  add(output: Output, answers: readonly Answer[]): void {
    this.gathering.add(output, answers);
  }

  /** Answers that have not been given, since what they are about is not on disk. */
  get unanswered(): readonly Answer[] {
    return [...(this.committing?.answers ?? []), ...this.gathering.answers];
  }

  /** What the steps since the last time amount to; undefined: to nothing. */
  takeGathered(): Group | undefined {
    const group = this.gathering;
    if (group.isEmpty) return undefined;
    this.gathering = new Group();
    return group;
  }

  /** Whether a commit that is not over yet writes all of the key anew. */
  isBeingWritten(key: string): boolean {
    return this.gathering.writes(key) || this.committing?.writes(key) === true;
  }
}
