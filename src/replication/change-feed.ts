// What has happened since, at this replica? One read of the change feed is one committed view: keys, their states and the
// cursor to go on from.

import type { CommittedView } from '../store/committed-view.js';
import { readChanges, type ChangeFilter, type Changes } from './change-reader.js';
import { cursorAt, type Cursor } from './cursor.js';
import { CursorExpiredError } from './errors.js';
import type { Expiry } from './expiry.js';
import type { ReplicaDriver } from './replica-driver.js';
import { checkCursor, Stretches, type StretchLimits } from './stretches.js';

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
    this.checkEnded(cursor);
    checkCursor(this.driver.view, cursor);
  }

  /**
   * What lies beyond the cursor in this view, to be read once for many.
   * @throws CursorExpiredError
   */
  beyond(view: CommittedView, cursor: Cursor, limits: StretchLimits): Stretches {
    this.checkEnded(cursor);
    return new Stretches(view, cursor, limits);
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

  private checkEnded({ ended }: Cursor): void {
    if (ended.wallMs <= this.expiry.endedKeptAfterMs) throw new CursorExpiredError();
  }
}
