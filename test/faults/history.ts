// What did clients do, and what were they told? The record that the verdict is found from: nothing in it comes from
// anywhere but requests and answers, and from what the run itself did to processes and disks.

export interface Shown {
  readonly dot: string;
  readonly value: string;
  readonly time: string;
}

interface Exchange {
  readonly client: string;
  readonly replica: string;
  /** Which disk the replica had, counted from 0: a wiped, replaced or damaged one is another disk. */
  readonly disk: number;
  readonly key: string;
  readonly beganAtMs: number;
  readonly endedAtMs: number;
}

/**
 * `refused`: the answer says that nothing happened. `unknown`: it says that it can't tell, or none came: both are right
 * then, that the write is there and that it isn't.
 */
export type Outcome = 'acknowledged' | 'refused' | 'unknown';

export interface Write extends Exchange {
  readonly kind: 'write';
  /** One that no other write has; undefined for a delete. */
  readonly value: string | undefined;
  /** The token of what its author had read; undefined: it replaces what the replica has. */
  readonly context: string | undefined;
  readonly outcome: Outcome;
  /** How many replicas have it on disk, as far as the answer says. */
  readonly acks: number;
  /** From the answer. Deletes are not told theirs: see `clients.ts`; undefined where it could not be found out. */
  readonly dot: string | undefined;
  /** The context in the answer. */
  readonly told: string | undefined;
  /** How many siblings the answer says there are now. */
  readonly siblings: number | undefined;
}

export interface Read extends Exchange {
  readonly kind: 'read';
  readonly token: string;
  /** The winner first. */
  readonly siblings: readonly Shown[];
  /** The session that the reader showed. */
  readonly session: string | undefined;
}

/** The disk of a replica, with all that only it had, is no more. */
export interface Destruction {
  readonly replica: string;
  readonly atMs: number;
}

export interface History {
  readonly events: readonly (Write | Read)[];
  /** Every key at every replica, once all agree; the same key has one such read for each replica. */
  readonly finalReads: readonly Read[];
  readonly destructions: readonly Destruction[];
  /** By replica, when its processes ended. */
  readonly ends: ReadonlyMap<string, readonly number[]>;
}

export class Recorder {
  readonly events: (Write | Read)[] = [];
  private values = 0;

  note(event: Write | Read): void {
    this.events.push(event);
  }

  /** A value that was never given before. Their order says nothing of their age, so that winners are not the latest. */
  nextValue(): string {
    this.values++;
    return `${(this.values * 7919) % 1000}-${this.values}`;
  }

  keys(): string[] {
    return [...new Set(this.events.map((event) => event.key))].sort();
  }

  count(outcome: Outcome): number {
    return this.events.filter((event) => event.kind === 'write' && event.outcome === outcome).length;
  }
}
