// Is a request lost when a replica stops? Clients write and read at all replicas in turn; a request that fails is tried
// once more, at the next replica.

import type { ReplicaClient } from '../support/process-client.js';

const CLIENTS = 8;
/** A client waits no longer for a replica that is going, then asks another. */
const PATIENCE_MS = 5000;
const PAUSE_MS = 5;

export interface LoadResult {
  readonly requests: number;
  /** Of them, those that the first replica failed. */
  readonly retried: number;
  /** Those that the second one failed too, with what it said. */
  readonly lost: readonly string[];
  /** Key to value of all acknowledged writes. */
  readonly written: ReadonlyMap<string, string>;
}

/** Begins at once. @returns a function that ends it, once every request under way has been answered */
export function startLoad(clients: readonly ReplicaClient[]): () => Promise<LoadResult> {
  const written = new Map<string, string>();
  const lost: string[] = [];
  let requests = 0;
  let retried = 0;
  let isOver = false;

  async function attempt(client: ReplicaClient, key: string, isWrite: boolean): Promise<void> {
    const path = `/v1/kv/${key}`;
    const { status } = isWrite
      ? await client.request('PUT', path, { body: key, timeoutMs: PATIENCE_MS })
      : await client.request('GET', path, { timeoutMs: PATIENCE_MS });
    // Another replica may not have it yet: that is an answer too.
    if (status >= 300 && !(status === 404 && !isWrite)) throw new Error(`${isWrite ? 'PUT' : 'GET'} ${key}: ${status}`);
    if (isWrite) written.set(key, key);
  }

  async function client(number: number): Promise<void> {
    for (let i = 0; !isOver; i++) {
      const key = `load-${number}-${i - (i % 2)}`;
      const at = (number + i) % clients.length;
      requests++;
      try {
        await attempt(clients[at]!, key, i % 2 === 0);
      } catch {
        retried++;
        await attempt(clients[(at + 1) % clients.length]!, key, i % 2 === 0).catch((error: unknown) =>
          lost.push((error as Error).message),
        );
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  const running = Promise.all(Array.from({ length: CLIENTS }, (_, number) => client(number)));
  return async () => {
    isOver = true;
    await running;
    return { requests, retried, lost, written };
  };
}
