// What is posted to a peer, and what comes back.

export interface PeerPost {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** From the call to the end of the answer. */
  readonly timeoutMs: number;
}

export interface PeerResponse {
  readonly status: number;
  /** Of `Content-Encoding`. */
  readonly encoding: string | undefined;
  readonly body: Buffer;
}
