// Who waits at one cursor? However many: the place moves on past what none of them has asked for, and it costs them nothing.

import type { Cursor } from '../../replication/cursor.js';
import type { Batch, Selection } from './batch.js';
import { PrefixTree } from './prefix-tree.js';

/** Where a reader is: it has been told everything up to here. */
export interface Standing {
  readonly cursor: Cursor;
  readonly token: string;
}

/** What came of waiting: undefined when the replica stops, or the reader has left. */
export type Outcome = Batch | Error | undefined;

/** A reader that waits. */
export interface Waiting {
  readonly selection: Selection;
  /** Who asks for the same has the same. */
  readonly selectionName: string;
  /** While it waits, the place. */
  standing: Standing;
  /** Whether lifetimes may have ended beyond its cursor: it has not looked yet, or there was no room for all. */
  readonly mayHaveMore: boolean;
  readonly isClosed: boolean;
  tell(outcome: Outcome): void;
}

export class Place implements Standing {
  private readonly readers = new Set<Waiting>();
  private readonly byPrefix = new PrefixTree<Waiting>();
  /** Whether there may be something beyond the cursor that no clock tells. */
  mayHaveMore = false;

  constructor(
    public cursor: Cursor,
    public token: string,
  ) {}

  get size(): number {
    return this.readers.size;
  }

  add(reader: Waiting): void {
    this.readers.add(reader);
    this.byPrefix.add(reader.selection.prefix, reader);
    reader.standing = this;
    this.mayHaveMore ||= reader.mayHaveMore;
  }

  /** It stays where the place is now. */
  delete(reader: Waiting): void {
    this.byPrefix.delete(reader.selection.prefix, reader);
    this.leave(reader);
  }

  /** Those who have asked for this key leave; they stay where the place is now. */
  take(key: string): readonly Waiting[] {
    const taken = this.byPrefix.take(key);
    for (const reader of taken) this.leave(reader);
    return taken;
  }

  takeAll(): readonly Waiting[] {
    const taken = [...this.readers];
    for (const reader of taken) this.delete(reader);
    return taken;
  }

  moveTo({ cursor, token }: Standing, mayHaveMore: boolean): void {
    this.cursor = cursor;
    this.token = token;
    this.mayHaveMore = mayHaveMore;
  }

  private leave(reader: Waiting): void {
    this.readers.delete(reader);
    reader.standing = { cursor: this.cursor, token: this.token };
  }
}
