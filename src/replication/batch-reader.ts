// What goes into a message? Clock, log entries and containers of one committed view, so that they agree with each other.

import type { Container } from '../clock/container.js';
import type { Actor } from '../clock/dot.js';
import type { VersionVector } from '../clock/version-vector.js';
import type { CommittedView } from '../store/committed-view.js';
import { invariant } from './engine/invariant.js';
import type { Batch, DotRange, PeerAnswer, PeerRequest } from './engine/messages.js';
import type { Reply, Send } from './engine/output.js';
import { selectSpans } from './engine/select.js';

/** Large enough that fixed costs vanish, small enough that applying one does not hold up clients for long. */
export const BATCH_DOTS_MAX = 2000;

/** A batch ends with the container that takes it past this. */
export const BATCH_BYTES_MAX = 1024 * 1024;

/** The request that the engine wants sent, with what it carries as of this view. */
export async function readRequest(view: CommittedView, send: Send): Promise<PeerRequest> {
  switch (send.kind) {
    case 'push':
      return { kind: 'push', batch: await readBatch(view, send.since, [send.actor]) };
    case 'compare':
      return { kind: 'compare', clock: send.clock, aheadDigest: send.aheadDigest };
    case 'pull':
      return { kind: 'pull', since: send.since };
    case 'pull-ahead':
      return { kind: 'pull-ahead', after: send.after };
  }
}

/** The answer that the engine wants given, with what it carries as of this view. */
export async function readAnswer(view: CommittedView, reply: Reply): Promise<PeerAnswer> {
  switch (reply.kind) {
    case 'clock':
      return { kind: 'clock', clock: reply.clock, aheadDigest: reply.aheadDigest };
    case 'batch':
      return { kind: 'batch', batch: await readBatch(view, reply.since), next: undefined };
    case 'ahead-batch':
      return { kind: 'batch', ...(await readAheadBatch(view, reply.after)) };
    case 'write':
      throw new TypeError('a peer request was answered as a write');
  }
}

/** Dots of `actors` (all, by default) that the view covers and `since` does not, with their keys' containers. */
export async function readBatch(view: CommittedView, since: VersionVector, actors?: Iterable<Actor>): Promise<Batch> {
  const containers = new Map<string, Container>();
  const ranges: DotRange[] = [];
  let bytes = 0;
  for (const span of selectSpans(view.clock, since, actors ?? view.clock.keys(), BATCH_DOTS_MAX)) {
    if (bytes > BATCH_BYTES_MAX) break;
    const keys: string[] = [];
    let isCut = false;
    for await (const key of view.logged(span.actor, span.from, span.to)) {
      keys.push(key);
      if (!containers.has(key)) {
        const container = view.container(key);
        containers.set(key, container);
        bytes += containerBytes(key, container);
      }
      isCut = bytes > BATCH_BYTES_MAX;
      if (isCut) break;
    }
    invariant(isCut || keys.length === span.to - span.from, `the log of ${span.actor} has a hole after ${span.from}`);
    ranges.push({ actor: span.actor, from: span.from, keys });
  }
  return { clock: view.clock, ranges, containers };
}

/** The containers of keys ahead that follow `after`, and where the next batch of them goes on. */
export async function readAheadBatch(
  view: CommittedView,
  after: string | undefined,
): Promise<{ batch: Batch; next: string | undefined }> {
  const containers = new Map<string, Container>();
  let bytes = 0;
  let next: string | undefined;
  for await (const key of view.aheadKeys(after)) {
    const container = view.container(key);
    containers.set(key, container);
    bytes += containerBytes(key, container);
    if (bytes > BATCH_BYTES_MAX || containers.size >= BATCH_DOTS_MAX) {
      next = key;
      break;
    }
  }
  return { batch: { clock: view.clock, ranges: [], containers }, next };
}

function containerBytes(key: string, container: Container): number {
  let bytes = key.length;
  for (const version of container.versions) bytes += version.value.length + 64;
  return bytes;
}
