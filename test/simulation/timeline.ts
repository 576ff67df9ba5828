// What happens next? Everything that takes time in a simulated cluster is an event on one queue: timers, deliveries,
// commits, clients and faults. An event runs when all before it have come to rest, and time jumps from one to the next.

export type Cancel = () => void;

export interface SimulatedEvent {
  atMs: number;
  /** The node that the event touches: no other node's state changes with it. */
  readonly node: string;
  readonly kind: string;
  /** For people; called only when somebody reads. */
  readonly detail: (() => string) | undefined;
  readonly action: () => void;
  isCancelled: boolean;
  /** Events of the same moment run in the order in which they were scheduled. */
  readonly order: number;
}

export class Timeline {
  nowMs = 0;
  private readonly heap: SimulatedEvent[] = [];
  private scheduled = 0;

  schedule(delayMs: number, node: string, kind: string, action: () => void, detail?: () => string): Cancel {
    const order = this.scheduled++;
    const event: SimulatedEvent = {
      atMs: this.nowMs + Math.max(0, delayMs),
      node,
      kind,
      detail,
      action,
      isCancelled: false,
      order,
    };
    this.push(event);
    return () => {
      event.isCancelled = true;
    };
  }

  /** Moves time on to the next event, and hands it out for its action to be run. */
  next(): SimulatedEvent | undefined {
    for (let event = this.pop(); event !== undefined; event = this.pop()) {
      if (event.isCancelled) continue;
      this.nowMs = event.atMs;
      return event;
    }
    return undefined;
  }

  /** What is to happen happens so much later, as far as it is meant. */
  postpone(isMeant: (event: SimulatedEvent) => boolean, byMs: number): void {
    for (const event of this.heap.splice(0)) {
      if (isMeant(event)) event.atMs += byMs;
      this.push(event);
    }
  }

  private push(event: SimulatedEvent): void {
    const { heap } = this;
    let place = heap.length;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!isEarlier(event, heap[parent]!)) break;
      heap[place] = heap[parent]!;
      place = parent;
    }
    heap[place] = event;
  }

  private pop(): SimulatedEvent | undefined {
    const { heap } = this;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isEarlier(heap[child + 1]!, heap[child]!)) child++;
      if (!isEarlier(heap[child]!, last)) break;
      heap[place] = heap[child]!;
      place = child;
    }
    heap[place] = last;
    return first;
  }
}

function isEarlier(left: SimulatedEvent, right: SimulatedEvent): boolean {
  return left.atMs < right.atMs || (left.atMs === right.atMs && left.order < right.order);
}

/**
 * Resolves when no promise has anything left to do. A tick callback runs only when the microtask queue is empty, however
 * long the chains were, and nothing in a simulation waits for anything else than promises and the timeline.
 */
export function quiescence(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}
