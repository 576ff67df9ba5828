// What is asked of a generator of load, and what does it tell?

export interface HttpRequest {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Load {
  /** The connections are spread over all of them. */
  readonly urls: readonly string[];
  readonly connections: number;
  /** Sent one after the other, from another start on each connection or thread; begun again at the end. */
  readonly requests: readonly HttpRequest[];
  /** For so long; undefined: each once. */
  readonly seconds: number | undefined;
  /** Refusals are no failures: what is loaded once may be sent twice at the end, where a store takes that amiss. */
  readonly mayRefuse?: boolean;
}

export interface Measurement {
  readonly requests: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Undefined where the generator does not tell. */
  readonly p999Ms: number | undefined;
  /** Of answers, heads and bodies; undefined where the generator does not tell. */
  readonly bytesReceived: number | undefined;
  /** Of one core, from 0 to 1. */
  readonly generatorBusy: number;
}

/** Nothing is measured when a server refuses: a refusal is cheap. */
export class RefusedError extends Error {}
