// What has happened since, at this replica? One read of the change feed is one committed view: keys, their states and the
// cursor to go on from.

import { checkCursor, readChanges, type ChangeFilter, type Changes } from './change-reader.js';
import { cursorAt, type Cursor } from './cursor.js';
import { CursorExpiredError } from './errors.js';
import type { Expiry } from './expiry.js';
import type { ReplicaDriver } from './replica-driver.js';

export class ChangeFeed {
  constructor(
    private readonly driver: Pick<ReplicaDriver, 'view'>,
    /** What ended earlier than this may no longer be known here. */
    private readonly expiry: Pick<Expiry, 'endedKeptAfterMs'>,
  ) {}

  /** Where a reader begins that wants what happens from now on. */
  now(wallMs: number): Cursor {
    return cursorAt(this.driver.view, wallMs);
  }

  /** @throws CursorExpiredError */
  check(cursor: Cursor): void {
    if (cursor.ended.wallMs <= this.expiry.endedKeptAfterMs) throw new CursorExpiredError();
    checkCursor(this.driver.view, cursor);
  }

  /**
   * The replica has seen what the cursor has.
   * @throws CursorExpiredError, CorruptRecordError
   */
  async read(cursor: Cursor, filter: ChangeFilter): Promise<Changes> {
    this.check(cursor);
    const view = this.driver.view.retain();
    try {
      return await readChanges(view, cursor, filter);
    } finally {
      view.release();
    }
  }
}
