// How many messages of a kind are under way to a peer at one time? Each has a connection of its own until it is answered, so a
// peer that hangs would gather as many as clients can ask for. What is beyond the limit waits for its turn, in order.

interface Lane {
  underWay: number;
  /** By whom they are for. */
  readonly waiting: Map<unknown, (isTurn: boolean) => void>;
}

/** Nobody wants it any more, and it has not been sent. */
export class LeftLaneError extends Error {}

export class PeerLanes {
  private readonly lanes = new Map<string, Lane>();
  private waitingCount = 0;

  /** @param underWayMax to each peer */
  constructor(private readonly underWayMax: number) {}

  /**
   * @param owner whom the message is for: one to each peer
   * @throws LeftLaneError, and what `send` throws
   */
  async send<T>(peer: string, owner: unknown, send: () => Promise<T>): Promise<T> {
    const lane = this.laneTo(peer);
    if (lane.underWay < this.underWayMax) lane.underWay++;
    else if (!(await this.turn(lane, owner))) throw new LeftLaneError();
    try {
      return await send();
    } finally {
      this.leaveTo(lane);
    }
  }

  /** What waits for this owner is not sent. */
  leave(owner: unknown): void {
    if (this.waitingCount === 0) return;
    for (const { waiting } of this.lanes.values()) {
      const waiter = waiting.get(owner);
      if (waiter === undefined) continue;
      waiting.delete(owner);
      this.waitingCount--;
      waiter(false);
    }
  }

  private laneTo(peer: string): Lane {
    const known = this.lanes.get(peer);
    if (known !== undefined) return known;
    const lane = { underWay: 0, waiting: new Map() };
    this.lanes.set(peer, lane);
    return lane;
  }

  private turn({ waiting }: Lane, owner: unknown): Promise<boolean> {
    this.waitingCount++;
    return new Promise((resolve) => waiting.set(owner, resolve));
  }

  /** The place goes to whoever has waited longest. */
  private leaveTo(lane: Lane): void {
    for (const [owner, waiter] of lane.waiting) {
      lane.waiting.delete(owner);
      this.waitingCount--;
      waiter(true);
      return;
    }
    lane.underWay--;
  }
}
