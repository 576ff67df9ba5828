// What do the steps since the last commit amount to? Their writes, merged into one commit, and what waits for it.

import type { Claims } from '../clock/claims.js';
import type { Container } from '../clock/container.js';
import type { Members } from '../clock/membership.js';
import type { KeptRequest, RequestChange, RequestPlace } from '../clock/request.js';
import type { VersionVector } from '../clock/version-vector.js';
import type { LogEntry } from '../store/log-records.js';
import type { Commit } from '../store/replica-store.js';
import type { NodeRecord } from '../store/record-codec.js';
import type { DeadlineChange } from './engine/deadlines.js';
import type { Observation, Output, Reply, Send } from './engine/output.js';
import type { CommitWaiter, ReplyWaiter } from './reply-waiter.js';

/** An answer, and who gets it once the group is on disk. */
export interface Answer {
  readonly reply: Reply;
  readonly waiter: ReplyWaiter;
}

export class Group {
  /** A key that several steps changed is written once, as the last one left it. */
  private readonly containers = new Map<string, Container>();
  /** Keys whose context alone differs; none of them is in `containers`. */
  private readonly contexts = new Map<string, VersionVector>();
  readonly sends: Send[] = [];
  readonly answers: Answer[] = [];
  /** Who has the answers already, and gives them once the group is on disk. */
  readonly waiting: CommitWaiter[] = [];
  readonly observations: Observation[] = [];
  private readonly log: LogEntry[] = [];
  /** By deadline and key, the last word on it. */
  private readonly deadlines = new Map<string, DeadlineChange>();
  /** By the text of its place, a request to remember or to forget: the last word counts. */
  private readonly requests = new Map<string, RequestChange>();
  private node: NodeRecord | undefined;
  private claims: Claims | undefined;
  private members: Members | undefined;

  add({ writes, sends, observations }: Output, answers: readonly Answer[]): void {
    for (const [key, context] of writes.contexts) {
      const earlier = this.containers.get(key);
      if (earlier === undefined) this.contexts.set(key, context);
      else this.containers.set(key, { versions: earlier.versions, context });
    }
    for (const [key, container] of writes.containers) {
      this.containers.set(key, container);
      this.contexts.delete(key);
    }
    for (const entry of writes.log) this.log.push(entry);
    for (const change of writes.deadlines) this.deadlines.set(`${change.deadlineMs} ${change.key}`, change);
    for (const change of writes.requests) this.requests.set(textOf(change[0]), change);
    this.node = writes.node ?? this.node;
    this.claims = writes.claims ?? this.claims;
    this.members = writes.members ?? this.members;
    for (const send of sends) this.sends.push(send);
    for (const answer of answers) this.answers.push(answer);
    for (const observation of observations) this.observations.push(observation);
  }

  /** The key's container after these steps; `below` yields it as it was before them. */
  container(key: string, below: (key: string) => Container): Container {
    const changed = this.containers.get(key);
    if (changed !== undefined) return changed;
    const context = this.contexts.get(key);
    return context === undefined ? below(key) : { versions: below(key).versions, context };
  }

  /** What is remembered of a request after these steps; `below` tells what was before them. */
  requested(place: RequestPlace, below: (place: RequestPlace) => KeptRequest | undefined): KeptRequest | undefined {
    const change = this.requests.size === 0 ? undefined : this.requests.get(textOf(place));
    return change === undefined ? below(place) : change[1];
  }

  /** Whether they write all of the key anew. */
  writes(key: string): boolean {
    return this.containers.has(key);
  }

  /** The one commit for all of them; undefined when no step wrote anything. */
  get commit(): Commit | undefined {
    return (
      this.node && {
        claims: this.claims,
        members: this.members,
        containers: this.containers,
        contexts: this.contexts,
        log: this.log,
        deadlines: [...this.deadlines.values()],
        requests: [...this.requests.values()],
        node: this.node,
      }
    );
  }

  get isEmpty(): boolean {
    const { sends, answers, waiting, observations } = this;
    return this.node === undefined && sends.length + answers.length + waiting.length + observations.length === 0;
  }
}

/** An id has a fixed length: no two places have the same text. */
function textOf({ id, key }: RequestPlace): string {
  return `${id}${key}`;
}
