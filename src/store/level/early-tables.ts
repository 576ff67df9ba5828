// When are tables made and merged? Whenever the buffer is full, and whenever there are four: replicas that take the same writes
// would do both at the same moments, and a write is at all of them when the slowest has it (docs/adr/0029). So after a start each
// makes some tables early, as many and as early as its phase says, and goes on at the distance of full buffers.

/** LevelDB merges level 0 when it has so many tables. */
const TABLES_OF_A_MERGE = 4;

/** From one early table to the next, in parts of a buffer: it is their number that tells replicas apart. */
const DISTANCE = 0.1;

/** A part of the time from one merge to the next, from 0 to less than 1; 'none': no table is made early. */
export type MergePhase = number | 'none';

export class EarlyTables {
  private left = 0;
  private untilNext = 0;
  private isMaking = false;

  /**
   * @param phase how much sooner than others tables are merged; drawn, if left out
   * @param present tables that wait for a merge
   * @param bufferBytes of keys and values that fill a buffer
   * @param make resolves when all that is in the buffer is in a table, and a merge that was under way is over
   */
  constructor(
    phase: MergePhase | undefined = Math.random(),
    present: number,
    private readonly bufferBytes: number,
    private readonly make: () => Promise<void>,
  ) {
    if (phase === 'none') return;
    const tables = Math.floor(phase * TABLES_OF_A_MERGE);
    const missing = (tables + TABLES_OF_A_MERGE - (present % TABLES_OF_A_MERGE)) % TABLES_OF_A_MERGE;
    this.left = 1 + missing;
    // When the last is made does not depend on how many there are. Four replicas that are a quarter apart fill their buffers at
    // moments of their own, too, and so do those of one quarter, where there are more.
    const room = 1 - (TABLES_OF_A_MERGE - 1) * DISTANCE;
    const last = 1 - room + room * ((phase * (TABLES_OF_A_MERGE + 1)) % 1);
    this.untilNext = (last - missing * DISTANCE) * bufferBytes;
  }

  /** So many bytes of keys and values are in the buffer, too. */
  committed(bytes: number): void {
    if (this.left === 0) return;
    this.untilNext -= bytes;
    // One at a time: each keeps a thread of Node's pool, which commits need, until it is made.
    if (this.untilNext >= 0 || this.isMaking) return;
    this.left--;
    // From when it was due, and not from now: else the last would be later where commits are large.
    this.untilNext += DISTANCE * this.bufferBytes;
    this.isMaking = true;
    const made = (): void => {
      this.isMaking = false;
    };
    // A database that can't do this says so at the next commit.
    this.make().then(made, made);
  }
}
