// How long does a request wait for other replicas, a write for acknowledgements or a read for answers? As long as its
// client said; for a moment only once this replica leaves; and not at all when it has stopped sending.

import type { RequestId } from './engine/input.js';
import type { Time } from './time.port.js';

/** What is on its way to the others when a replica leaves may still be answered. */
const LAST_ACKS_MS = 1000;

export class WaitingRequests {
  private readonly ids = new Set<RequestId>();
  private patienceMs = Infinity;

  constructor(
    private readonly time: Time,
    /** It is answered with what it has. */
    private readonly giveUp: (id: RequestId) => void,
  ) {}

  async within<T>(timeoutMs: number, id: RequestId, answer: Promise<T>): Promise<T> {
    this.ids.add(id);
    const cancel = this.time.after(Math.min(timeoutMs, this.patienceMs), () => this.giveUp(id));
    try {
      return await answer;
    } finally {
      this.ids.delete(id);
      cancel();
    }
  }

  leave(): void {
    this.patienceMs = LAST_ACKS_MS;
    this.time.after(LAST_ACKS_MS, () => this.giveUpAll());
  }

  end(): void {
    this.patienceMs = 0;
    this.giveUpAll();
  }

  private giveUpAll(): void {
    for (const id of this.ids) this.giveUp(id);
  }
}
