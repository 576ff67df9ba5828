// Which versions must a replica show, if causality is tracked exactly?
//
// The answer in sets of names alone. For each write it remembers which dots its author had seen of that key; for each
// replica, which dots have reached it. A version lives at a replica when its dot has reached it and no write that has
// reached it replaced that dot. No vector, no context, no clock, and no line shared with the code that it judges.

/** The name of a write event; the oracle never looks inside. */
export type DotName = string;

/** What a write is about. Register writes are all about the same thing; a delete is about everything. */
export type Element = string | undefined;

interface Event {
  readonly live: boolean;
  readonly element: Element;
  readonly seen: ReadonlySet<DotName>;
  readonly replaced: ReadonlySet<DotName>;
}

export class HistoryOracle {
  readonly #events = new Map<DotName, Event>();
  readonly #received = new Map<string, Set<DotName>>();
  readonly #written = new Map<string, Set<DotName>>();

  /** One write of `key`, taken by `replica` from an author who had seen the dots `seen` of that key. */
  write(replica: string, key: string, dot: DotName, live: boolean, element: Element, seen: ReadonlySet<DotName>): void {
    const isReplaced = (old: DotName) => element === undefined || this.#events.get(old)?.element === element;
    const replaced = new Set([...seen].filter(isReplaced));
    this.#events.set(dot, { live, element, seen, replaced });
    this.#at(this.#received, `${replica}/${key}`).add(dot);
    this.#at(this.#written, key).add(dot);
  }

  /** All that `from` has received of `key` has now also reached `to`. */
  deliver(from: string, to: string, key: string): void {
    const target = this.#at(this.#received, `${to}/${key}`);
    for (const dot of this.#at(this.#received, `${from}/${key}`)) target.add(dot);
  }

  /** What a reader of `key` at `replica` has seen: the dots received, and those their authors had seen before. */
  known(replica: string, key: string): ReadonlySet<DotName> {
    const known = new Set<DotName>();
    for (const dot of this.#at(this.#received, `${replica}/${key}`)) {
      known.add(dot);
      for (const older of this.#events.get(dot)!.seen) known.add(older);
    }
    return known;
  }

  /** The dots of the versions that `replica` must show for `key`, no more and no less. */
  visible(replica: string, key: string): ReadonlySet<DotName> {
    const received = [...this.#at(this.#received, `${replica}/${key}`)];
    const replaced = new Set(received.flatMap((dot) => [...this.#events.get(dot)!.replaced]));
    return new Set(received.filter((dot) => this.#events.get(dot)!.live && !replaced.has(dot)));
  }

  /** The dots that no write anywhere replaced: what every replica must show once all have received all. */
  surviving(key: string): ReadonlySet<DotName> {
    const written = [...this.#at(this.#written, key)];
    const replaced = new Set(written.flatMap((dot) => [...this.#events.get(dot)!.replaced]));
    return new Set(written.filter((dot) => this.#events.get(dot)!.live && !replaced.has(dot)));
  }

  #at(sets: Map<string, Set<DotName>>, place: string): Set<DotName> {
    const set = sets.get(place) ?? new Set<DotName>();
    sets.set(place, set);
    return set;
  }
}
