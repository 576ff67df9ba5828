// What goes into a message? Clock, log entries and containers of one committed view, so that they agree with each other.

import { isWithin, type KeySpan } from '../clock/claims.js';
import type { Container } from '../clock/container.js';
import type { Actor } from '../clock/dot.js';
import {
  counterOf,
  countBeyond,
  descends,
  EMPTY_VECTOR,
  equalVectors,
  join,
  type VersionVector,
} from '../clock/version-vector.js';
import type { CommittedView, KeyedContainer } from '../store/committed-view.js';
import { isLogKey, keyOf, spanRange } from '../store/keyspace.js';
import { CorruptRecordError } from '../store/record-codec.js';
import { digestOfKey, digestOfSpan, type SpanDigest } from './engine/digest.js';
import type { LocalKeys } from './engine/input.js';
import { invariant } from './engine/invariant.js';
import type { Batch, DotRange, PeerAnswer, PeerRequest, Piece } from './engine/messages.js';
import type { Reply, Send } from './engine/output.js';
import { selectSpans } from './engine/select.js';
import { bytesOf } from './container-bytes.js';
import { PeerFailure } from './transport.port.js';
import { Unsent } from './unsent.js';

/** How much one message carries. */
export interface MessageLimits {
  /** Large enough that fixed costs vanish, small enough that applying one does not hold up clients for long. */
  readonly batchDots: number;
  /** A batch or piece ends with the container that takes it past this. */
  readonly bytes: number;
  readonly pieceKeys: number;
  /** Who lacks more dots than this, and not much less than there are keys, takes over all keys instead. */
  readonly takeAllDots: number;
  /** Keys of its own that a replica merges with one piece, at most. */
  readonly localKeys: number;
  /** Keys of a span whose digests are told: more than the asking side has, so that one of them differs. */
  readonly digestKeys: number;
}

export const MESSAGE_LIMITS: MessageLimits = {
  batchDots: 2000,
  bytes: 1024 * 1024,
  pieceKeys: 4000,
  takeAllDots: 10_000,
  localKeys: 8000,
  digestKeys: 2000,
};

/** What a replica has itself may take this much more than what a piece brings: it is at hand. */
const LOCAL_BYTES_PER_BYTE = 4;

/** What keys may take on disk for each missing dot, so that taking over all of them is the shorter way. */
const BYTES_PER_DOT = 256;

/** Two for each member, and more. */
const UNSENT_MAX = 64;

const NO_DOTS = { ranges: [], containers: new Map<string, Container>(), exact: undefined, past: EMPTY_VECTOR };

export class MessageReader {
  /** By kind of message and peer; undefined while it is in use. */
  private readonly unsent = new Map<string, Unsent | undefined>();

  constructor(private readonly limits: MessageLimits) {}

  /**
   * The request that the engine wants sent, with what it carries as of this view.
   * @throws PeerFailure when the log has been trimmed beyond it meanwhile
   */
  async request(view: CommittedView, send: Send): Promise<PeerRequest> {
    switch (send.kind) {
      case 'push':
        if (counterOf(send.since, send.actor) < counterOf(view.node.floor, send.actor)) {
          throw new PeerFailure(`the log does not reach back to what ${send.to} has: it will take over all keys`, true);
        }
        return { kind: 'push', batch: await this.batchFor(`push ${send.to}`, view, send.since, [send.actor]) };
      case 'compare': {
        const { to: _, ...request } = send;
        return request;
      }
      case 'pull':
        return { kind: 'pull', since: send.since, wants: send.wants };
      case 'pull-ahead':
      case 'pull-keys':
        return { kind: send.kind, after: send.after };
      case 'members':
        return { kind: 'members', members: send.members };
      case 'fetch':
        return { kind: 'fetch', keys: send.keys };
      case 'read':
        return { kind: 'fetch', keys: [send.key] };
      case 'repair':
        return { kind: 'push', batch: this.fetched(view, [send.key]).batch };
    }
  }

  /** The answer that the engine wants given, with what it carries as of this view. */
  async answer(view: CommittedView, reply: Reply): Promise<PeerAnswer> {
    switch (reply.kind) {
      case 'clock': {
        const { id: _, ...answer } = reply;
        return answer;
      }
      case 'batch':
        return this.pulled(view, reply);
      case 'ahead-batch':
        return { kind: 'batch', ...(await this.aheadBatch(view, reply.after)) };
      case 'members':
        return { kind: 'members', members: reply.members };
      case 'fetched':
        return { kind: 'batch', ...this.fetched(view, reply.keys) };
      case 'digest':
        return { kind: 'digests', ...(await this.compared(view, reply)) };
      case 'piece':
      case 'write':
      case 'acks':
      case 'read':
      case 'forget':
        throw new TypeError(`a peer request was answered as a ${reply.kind}`);
    }
  }

  /** What is stored here in a span, or in the first part of it when that is too much for one step. */
  async local(view: CommittedView, span: KeySpan): Promise<LocalKeys> {
    const { localKeys, bytes } = this.limits;
    return taken(view.storedWithin(span), span, { keys: localKeys, bytes: bytes * LOCAL_BYTES_PER_BYTE });
  }

  /** What the receiver lacks, unless the log begins later: then nothing is sent, for a part of it would leave a hole. */
  private async pulled(
    view: CommittedView,
    { to, since, wants }: Extract<Reply, { kind: 'batch' }>,
  ): Promise<PeerAnswer> {
    const { clock, node } = view;
    if (!descends(since, node.floor)) return { kind: 'below-floor', clock, floor: node.floor };
    const takeAll: PeerAnswer = { kind: 'take-all', clock };
    const missing = countBeyond(view.clock, since);
    if (missing >= this.limits.takeAllDots && (await isMost(view, missing))) return takeAll;
    if (wants === 'way') return { kind: 'batch', batch: { ...NO_DOTS, clock }, next: undefined };
    try {
      return {
        kind: 'batch',
        batch: await this.batchFor(`pull ${to}`, view, since, view.clock.keys()),
        next: undefined,
      };
    } catch (error) {
      // An entry that can't be read is as good as one that has been trimmed. Damaged containers are no such thing.
      if (error instanceof CorruptRecordError && isLogKey(error.recordKey)) return takeAll;
      throw error;
    }
  }

  /** Dots of `actors` that the view covers and `since` does not, with their keys' containers, and how exact those are. */
  private async batchFor(
    exchange: string,
    view: CommittedView,
    since: VersionVector,
    actors: Iterable<Actor>,
  ): Promise<Batch> {
    // Taken out while it is in use: another message of the same kind, or a failure, begins anew. Its place stays, see `Unsent`.
    const unsent = this.unsent.get(exchange) ?? new Unsent();
    this.unsent.set(exchange, undefined);
    // Who asks may call itself what it likes.
    if (this.unsent.size > UNSENT_MAX) this.unsent.delete(this.unsent.keys().next().value!);
    const isCounted = await unsent.follow(view, since);
    const batch = await this.batch(view, since, actors);
    if (!isCounted) return batch;
    const clock = unsent.send(batch.ranges);
    this.unsent.set(exchange, unsent);
    const keys = new Set<string>();
    for (const key of batch.containers.keys()) if (unsent.hasAllOf(key)) keys.add(key);
    return { ...batch, exact: { clock, keys } };
  }

  private async batch(view: CommittedView, since: VersionVector, actors: Iterable<Actor>): Promise<Batch> {
    const containers = new Map<string, Container>();
    const ranges: DotRange[] = [];
    let bytes = 0;
    for (const span of selectSpans(view.clock, since, actors, this.limits.batchDots)) {
      if (bytes > this.limits.bytes) break;
      const keys: string[] = [];
      let isCut = false;
      for await (const chunk of view.log.chunks(span)) {
        for (const key of chunk) {
          // What is written in parts has a dot for each, and its container once.
          if (!containers.has(key)) {
            isCut = bytes > this.limits.bytes;
            if (isCut) break;
            const container = view.container(key);
            containers.set(key, container);
            bytes += bytesOf(key, container);
          }
          keys.push(key);
        }
        if (isCut) break;
      }
      invariant(isCut || keys.length === span.to - span.from, `the log of ${span.actor} has a hole after ${span.from}`);
      const requests = view.requests.logged(span.actor, span.from, span.from + keys.length);
      ranges.push({ actor: span.actor, from: span.from, keys, requests });
    }
    return { clock: view.clock, ranges, containers, exact: undefined, past: view.node.past };
  }

  /** The containers of keys ahead that follow `after`, and where the next batch of them goes on. */
  private async aheadBatch(
    view: CommittedView,
    after: string | undefined,
  ): Promise<{ batch: Batch; next: string | undefined }> {
    const containers = new Map<string, Container>();
    let bytes = 0;
    let next: string | undefined;
    for await (const key of view.aheadKeys(after)) {
      const container = view.container(key);
      containers.set(key, container);
      bytes += bytesOf(key, container);
      if (bytes > this.limits.bytes || containers.size >= this.limits.batchDots) {
        next = key;
        break;
      }
    }
    return { batch: { clock: view.clock, ranges: [], containers, exact: undefined, past: view.node.past }, next };
  }

  /** The containers of these keys, absent ones too, up to `next`. One that is damaged here is left out. */
  private fetched(view: CommittedView, keys: readonly string[]): { batch: Batch; next: string | undefined } {
    const containers = new Map<string, Container>();
    let bytes = 0;
    let next: string | undefined;
    for (const key of keys) {
      if (bytes > this.limits.bytes) {
        next = key;
        break;
      }
      try {
        const container = view.container(key);
        containers.set(key, container);
        bytes += bytesOf(key, container);
      } catch (error) {
        if (!(error instanceof CorruptRecordError)) throw error;
      }
    }
    return { batch: { clock: view.clock, ranges: [], containers, exact: undefined, past: view.node.past }, next };
  }

  /** The digests of what is here, when it is not the same though the same is known. */
  private async compared(
    view: CommittedView,
    { span, clock, digest }: Pick<SpanDigest, 'span' | 'clock'> & { digest: number },
  ): Promise<Pick<Extract<PeerAnswer, { kind: 'digests' }>, 'keys' | 'through'>> {
    const nothing = { keys: undefined, through: undefined };
    if (!equalVectors(view.clock, clock)) return nothing;
    const keys = new Map<string, number>();
    let through = span.through;
    let isCut = false;
    for await (const { recordKey, isDamaged, versions } of view.checked(spanRange('k', span))) {
      if (isDamaged) return nothing;
      const key = keyOf(recordKey);
      const digestHere = digestOfKey(key, versions);
      if (digestHere === undefined) continue;
      keys.set(key, digestHere);
      if (keys.size < this.limits.digestKeys) continue;
      through = key;
      isCut = true;
      break;
    }
    return !isCut && digestOfSpan(keys) === digest ? nothing : { keys, through };
  }

  /** The next keys after `after`, as far as the same is known of all of them. */
  async piece(view: CommittedView, after: string | undefined): Promise<Piece> {
    const rest = { after, through: undefined };
    const claim = view.claims.find(({ through }) => through === undefined || isWithin(rest, through));
    const span = { after, through: claim?.through };
    const clock = join(view.clock, claim?.clock ?? EMPTY_VECTOR);
    const { pieceKeys, bytes } = this.limits;
    const { containers, through } = await taken(view.unreadWithin(span), span, { keys: pieceKeys, bytes });
    const requests = await view.requests.within({ after, through }, bytes);
    return { span: { after, through }, clock, containers, past: view.node.past, requests };
  }
}

/** What is stored in a span; up to an earlier end, the last key taken, when it is more than `max`. */
async function taken(
  stored: AsyncIterable<readonly KeyedContainer[]>,
  { through }: KeySpan,
  max: { readonly keys: number; readonly bytes: number },
): Promise<{ containers: ReadonlyMap<string, Container>; through: string | undefined }> {
  const containers = new Map<string, Container>();
  let bytes = 0;
  for await (const chunk of stored) {
    for (const { key, container } of chunk) {
      containers.set(key, container);
      bytes += bytesOf(key, container);
      if (bytes > max.bytes || containers.size >= max.keys) return { containers, through: key };
    }
  }
  return { containers, through };
}

/**
 * Whether so many dots are much of what there is. A key costs half of what a dot costs: no log entry, and no context of its
 * own. There are no more keys than dots, and fewer where keys are written again and again.
 */
async function isMost(view: CommittedView, missing: number): Promise<boolean> {
  return 2 * missing >= countBeyond(view.clock, EMPTY_VECTOR) || (await view.versionsSize()) <= missing * BYTES_PER_DOT;
}
