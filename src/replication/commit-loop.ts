// When do the effects of a step hold? When they are on disk.
//
// Each input runs through the engine as it comes. What the steps want written is gathered into a group, and one group is
// committed at a time. All that is at hand when nothing is being committed shares a commit, and all that arrives meanwhile
// the next one: no timer, and the more load, the larger the groups. Only when a group is on disk are its answers given and
// its messages sent.
//
// A step that breaks an invariant, or a commit that fails, stops the replica.

import { CorruptRecordError } from '../store/record-codec.js';
import type { ReplicaStore } from '../store/replica-store.js';
import type { Input, RequestId } from './engine/input.js';
import type { Reply } from './engine/output.js';
import type { Replica } from './engine/replica.js';
import { ReplicaStoppedError } from './errors.js';
import type { Answer, Group } from './group.js';
import type { ReplyWaiter } from './reply-waiter.js';
import { StepState } from './step-state.js';
import type { Time } from './time.port.js';

export interface CommitEvents {
  /** The view has moved on. */
  committed(): void;
  /** The answers of the group have been given; its messages may go out. With an empty group: nothing is uncommitted. */
  released(group: Pick<Group, 'sends' | 'observations'>): void;
  /** Once; nothing runs any more. The cause is what has happened. */
  stopped(error: ReplicaStoppedError): void;
}

const NOTHING = { sends: [], observations: [] };

interface Asked {
  readonly id: RequestId;
  readonly waiter: ReplyWaiter;
}

export class CommitLoop {
  /** What the next step sees. */
  readonly steps: StepState;
  /**
   * Who waits for other replicas. What a request's own step answers is kept with its group: of the tables that a map outgrows,
   * each leads to the next, so that one which has died in V8's old generation keeps all later ones, with what they held,
   * until the whole heap is collected.
   */
  private readonly pending = new Map<RequestId, ReplyWaiter>();
  private commit: Promise<void> | undefined;
  private commits = 0;
  private lastId: RequestId = 0;
  /** Whether what has gathered is committed once all that is at hand has run. */
  private isDue = false;
  private stopReason: unknown;

  constructor(
    private readonly replica: Replica,
    private readonly store: ReplicaStore,
    private readonly time: Pick<Time, 'soon'>,
    private readonly events: CommitEvents,
  ) {
    this.steps = new StepState(store);
  }

  /** Why it has stopped; undefined while it runs. */
  get failure(): unknown {
    return this.stopReason;
  }

  /** Its number since the start; undefined: none. */
  get commitUnderWay(): number | undefined {
    return this.commit && this.commits;
  }

  nextId(): RequestId {
    return ++this.lastId;
  }

  /** Resolves when all that has run is committed and answered. */
  async quiet(): Promise<void> {
    this.flush();
    while (this.commit !== undefined) await this.commit;
  }

  /** Runs an input that is answered under this id, once what it wrote is on disk. */
  request(id: RequestId, input: Input): Promise<Reply> {
    return new Promise((resolve, reject) => this.ask(id, input, { resolve, reject }));
  }

  /**
   * As `request`, without a promise. A failure of the step itself is thrown, and nobody waits for it.
   * @throws CorruptRecordError, ReplicaStoppedError
   */
  ask(id: RequestId, input: Input, waiter: ReplyWaiter): void {
    this.run(input, { id, waiter });
  }

  /**
   * Runs an input for who takes its reply at once, and keeps to himself what it tells until `settled` has resolved.
   * @throws CorruptRecordError, ReplicaStoppedError
   */
  reply(id: RequestId, input: Input): Reply {
    const reply = this.run(input).find((each) => each.id === id);
    if (reply === undefined) throw new TypeError(`${input.kind} is not answered by its own step`);
    return reply;
  }

  /** Resolves when all that has run so far is on disk. @throws ReplicaStoppedError when it may never be */
  settled(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.stopReason !== undefined) throw stoppedBy(this.stopReason);
      this.steps.wait({ resolve, reject });
      this.flushSoon();
    });
  }

  /**
   * @throws CorruptRecordError when the step needs a record that can't be read; it has then changed nothing
   * @throws ReplicaStoppedError
   */
  private run(input: Input, asked?: Asked): readonly Reply[] {
    if (this.stopReason !== undefined) throw stoppedBy(this.stopReason);
    let output;
    try {
      output = this.replica.step(input, this.steps);
      this.steps.add(output, this.answers(output.replies, asked));
    } catch (error) {
      if (error instanceof CorruptRecordError) throw error;
      this.stop(error);
      throw stoppedBy(error);
    }
    this.flushSoon();
    return output.replies;
  }

  /** Who gets these; one who gets none of them has to wait. */
  private answers(replies: readonly Reply[], asked: Asked | undefined): readonly Answer[] {
    const answers: Answer[] = [];
    let waiting = asked;
    for (const reply of replies) {
      if (reply.id === waiting?.id) {
        answers.push({ reply, waiter: waiting.waiter });
        waiting = undefined;
        continue;
      }
      const waiter = this.pending.get(reply.id);
      if (waiter === undefined) continue;
      this.pending.delete(reply.id);
      answers.push({ reply, waiter });
    }
    if (waiting !== undefined) this.pending.set(waiting.id, waiting.waiter);
    return answers;
  }

  /** For inputs that nobody waits for: a failure has stopped the replica already. Throws what has not. */
  runUnasked(input: Input): void {
    try {
      this.run(input);
    } catch (error) {
      if (this.stopReason === undefined) throw error;
    }
  }

  private flushSoon(): void {
    if (this.isDue || this.steps.committing !== undefined) return;
    this.isDue = true;
    this.time.soon(() => {
      this.isDue = false;
      this.flush();
    });
  }

  private flush(): void {
    if (this.steps.committing !== undefined || this.stopReason !== undefined) return;
    const group = this.steps.takeGathered();
    if (group?.commit === undefined) return this.releaseUnwritten(group);
    const { commit } = group;
    this.commits++;
    this.steps.committing = group;
    this.commit = this.store
      .commit(commit)
      .then(() => this.committed(group))
      .catch((error: unknown) => this.stop(error));
  }

  private committed(group: Group): void {
    this.commit = undefined;
    // Who waits has been told that it may not be on disk.
    if (this.stopReason !== undefined) return;
    this.steps.committing = undefined;
    // The next group goes to the disk before this one's answers are written out: the disk is the slower of the two.
    this.flush();
    this.release(group);
    this.events.committed();
  }

  private releaseUnwritten(group: Group | undefined): void {
    try {
      if (group === undefined) this.events.released(NOTHING);
      else this.release(group);
    } catch (error) {
      this.stop(error);
    }
  }

  private release(group: Group): void {
    for (const { reply, waiter } of group.answers) waiter.resolve(reply);
    for (const { resolve } of group.waiting) resolve();
    this.events.released(group);
  }

  /** For ever: whoever waits is told, and what is not on disk never will be. */
  stop(error: unknown): void {
    this.commit = undefined;
    if (this.stopReason !== undefined) return;
    this.stopReason = error;
    const stopped = stoppedBy(error);
    for (const { reject } of this.steps.unanswered) reject(stopped);
    for (const { reject } of this.pending.values()) reject(stopped);
    this.pending.clear();
    this.events.stopped(stopped);
  }
}

function stoppedBy(cause: unknown): ReplicaStoppedError {
  return new ReplicaStoppedError('the replica has stopped after a failure', { cause });
}
