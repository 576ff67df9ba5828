// What happens when a record turns out to be damaged, whoever reads it: a client, a step, a message, the scrubber? The
// engine is told of its key, once, and has it repaired; who was reading gets the error. Of what nothing mends, log entries and
// requests, whoever runs the replica is told.

import type { Container } from '../clock/container.js';
import { dotsOf, isLogKey, isOfKey, isRequestKey, keyOf, placeOf } from '../store/keyspace.js';
import { CorruptRecordError } from '../store/record-codec.js';
import type { ReplicaStore } from '../store/replica-store.js';
import type { Input } from './engine/input.js';
import type { Observation } from './engine/output.js';

export interface DamageShell {
  /** Keys that the engine knows of already. */
  readonly damaged: ReadonlyMap<string, unknown>;
  /** What steps see. */
  container(key: string): Container;
  /** A commit that writes the key anew is on its way: what is on the disk is no matter any more. */
  isBeingWritten(key: string): boolean;
  take(input: Input): void;
  observed(observation: Observation): void;
}

export class DamageWatch {
  /** Keys that are about to be looked at. */
  private readonly noticed = new Set<string>();
  /** The last dots of damaged log records that have been told: nothing mends them, and nobody is told twice. */
  private readonly toldDots = new Set<string>();
  /** Of damaged records of requests, those that have been told. */
  private readonly toldRequests = new Set<string>();

  constructor(
    private readonly store: ReplicaStore,
    private readonly shell: DamageShell,
  ) {
    store.watchDamage((error) => this.notice(error));
  }

  private notice({ recordKey }: CorruptRecordError): void {
    if (isLogKey(recordKey)) return this.tellLogRecord(recordKey);
    if (isRequestKey(recordKey)) return this.tellRequest(recordKey);
    if (!isOfKey(recordKey)) return;
    const key = keyOf(recordKey);
    if (this.noticed.has(key) || this.shell.damaged.has(key)) return;
    this.noticed.add(key);
    // Whoever reads may be in the middle of a step.
    queueMicrotask(() => {
      this.look(key);
      this.noticed.delete(key);
    });
  }

  private look(key: string): void {
    const { shell, store } = this;
    // A commit may have written the key anew since the snapshot in which it was read.
    if (shell.damaged.has(key) || shell.isBeingWritten(key)) return;
    if (readable(() => store.view.onDisk(key)) !== undefined) return;
    // From the cache.
    const container = readable(() => shell.container(key));
    const versions = container?.versions ?? readable(() => store.view.versions(key));
    shell.take({ kind: 'damaged', key, versions, isContextKnown: container !== undefined });
  }

  private tellLogRecord(recordKey: Uint8Array): void {
    const span = dotsOf(recordKey);
    const last = `${span.actor}:${span.to}`;
    if (this.toldDots.has(last)) return;
    this.toldDots.add(last);
    this.shell.observed({ kind: 'log-damaged', ...span });
  }

  private tellRequest(recordKey: Uint8Array): void {
    const { key, id } = placeOf(recordKey);
    const place = `${id}${key}`;
    if (this.toldRequests.has(place)) return;
    this.toldRequests.add(place);
    this.shell.observed({ kind: 'request-damaged', key });
  }
}

function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof CorruptRecordError)) throw error;
    return undefined;
  }
}
