// What is asked of the process that makes a light load, and what does it tell?

export interface Target {
  readonly name: string;
  readonly url: string;
  /** Half of them reads, half writes. */
  readonly requestsPerSecond: number;
}

export type LightLoadOrder =
  | {
      readonly kind: 'start';
      readonly targets: readonly Target[];
      /** Reads ask for one of the first so many. */
      readonly keys: number;
    }
  | { readonly kind: 'begin' }
  | { readonly kind: 'end' }
  /** Answered when nothing is under way any more, and nothing will be. */
  | { readonly kind: 'finish' };

/** Milliseconds from the moment when each request was due, not from when it was sent: waiting for a turn counts. */
export interface Latencies {
  readonly get: readonly number[];
  readonly put: readonly number[];
  /** Requests that got no answer, from a replica that is not up for example. */
  readonly unanswered: number;
}

export interface LightLoadAnswer {
  /** Empty but for `end`. */
  readonly latencies: ReadonlyMap<string, Latencies>;
}
