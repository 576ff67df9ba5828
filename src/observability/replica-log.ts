// What does an operator read? One line when something changes that a person may have to know; nothing per request.

import { Logger } from '@nestjs/common';
import type { Observation } from '../replication/engine/output.js';
import type { DriverEvents } from '../replication/driver-events.js';
import { NearlyFullError } from '../replication/errors.js';
import { PeerFailure } from '../replication/transport.port.js';
import { CorruptRecordError } from '../store/record-codec.js';
import { StoreReadError } from '../store/errors.js';
import type { Metrics } from './metrics.js';
import { Seldom } from './seldom.js';

/** Keys come from clients: no control character of theirs gets into the log. */
function quoted(key: string): string {
  return JSON.stringify(key);
}

/** A catch-up as long as this is told while it goes on. */
const MANY_DOTS = 10_000;

const PROGRESS_EVERY_MS = 5000;

/** A peer that is down fails twice a second: the same failure is logged once until it changes. */
export class ReplicaLog implements DriverEvents {
  private readonly logger = new Logger('Replica');
  private readonly lastFailure = new Map<string, string>();
  private readonly lastRefusal = new Map<string, string>();
  private readonly absent = new Set<string>();
  /** They say so at every comparison, and it is logged once. */
  private readonly knowTooMany = new Set<string>();
  /** Peers that all keys are being taken over from, and none has come since: begun over and over, it is told once. */
  private readonly begunWith = new Set<string>();
  private keysTaken = 0;
  private dotsApplied = 0;
  private toldProgressAtMs = 0;
  /** Of peers: a clock that is wrong is wrong with every write. */
  private readonly wrongClocks = new Seldom();

  constructor(
    private readonly metrics: Metrics,
    private readonly onStopped: (error: unknown) => void,
  ) {}

  observed(observation: Observation): void {
    this.metrics.observed(observation);
    switch (observation.kind) {
      case 'peer-up':
        return this.logger.log(`${observation.peer} is there`);
      case 'peer-unreachable':
        return this.logger.warn(`${observation.peer} is unreachable; what it misses, it gets when it is back`);
      case 'pull-started':
        return this.logger.debug(`pulling ${observation.dots} missing writes from ${observation.peer}`);
      case 'stamp-too-far-ahead':
        if (!this.wrongClocks.isDue(observation.from)) return;
        return this.logger.warn(`writes that come from ${observation.from} are dated far ahead: check its clock`);
      case 'new-incarnation':
        return this.logger.warn(
          `peers know more of ${observation.retired} than this disk does: going on as ${observation.actor}`,
        );
      case 'bootstrap-started':
        this.keysTaken = 0;
        if (this.begunWith.has(observation.peer)) return;
        this.begunWith.add(observation.peer);
        return this.logger.log(`taking over all keys from ${observation.peer}`);
      case 'bootstrap-progressed':
        this.begunWith.clear();
        this.keysTaken += observation.keys;
        return this.tellProgress(`${this.keysTaken} keys taken over so far`);
      case 'bootstrap-ended':
        return this.logger.log(`all keys are taken over: ${this.keysTaken}, with ${observation.dots} writes`);
      case 'batch-applied':
        this.dotsApplied += observation.dots;
        if (observation.missing > MANY_DOTS) {
          this.tellProgress(`catching up: ${this.dotsApplied} writes taken, ${observation.missing} are missing`);
        }
        return;
      case 'member-joined':
        return this.logger.log(`${observation.peer} at ${observation.url} is a member now`);
      case 'member-forgotten':
        return this.logger.log(`${observation.peer} is no member any more`);
      case 'too-many-members':
        if (this.knowTooMany.has(observation.from)) return;
        this.knowTooMany.add(observation.from);
        return this.logger.warn(`${observation.from} knows of more members than a cluster may have`);
      case 'forgotten':
        return this.logger.error(
          'this node was removed from the cluster: it takes no more writes; with an empty data folder it can join again',
        );
      case 'actor-sealed':
        return this.logger.log(`what ${observation.actor} wrote and nobody has is given up: its disk is lost`);
      case 'damaged':
        return this.logger.error(`the record of ${quoted(observation.key)} is damaged: asking the peers for it`);
      case 'log-damaged':
        return this.logger.error(
          `the log of ${observation.actor} can't be read from ${observation.from + 1} to ${observation.to}: ` +
            'who lacks one of these takes over all keys',
        );
      case 'request-damaged':
        return this.logger.error(
          `what is remembered of a request on ${quoted(observation.key)} can't be read: it is refused until it is ` +
            'forgotten, and carried out anew after that',
        );
      case 'repaired':
        if (observation.isWhole) return this.logger.log(`${quoted(observation.key)} is repaired, with nothing lost`);
        return this.logger.error(
          `${quoted(observation.key)} is repaired as its peers have it: writes that only this disk had are lost`,
        );
      case 'disagreement-settled':
        if (observation.wasRight) return;
        return this.logger.error(
          `${quoted(observation.key)} was not what replicas that know the same have: it is put right`,
        );
      case 'store-unreadable':
        return this.logger.error(`the scan passes over a part of the disk: ${observation.reason}`);
      case 'read-repaired':
      case 'scrubbed':
      case 'scrub-round-ended':
      case 'conflict':
      case 'gap':
      case 'log-trimmed':
      case 'expired':
        return;
    }
  }

  /** At most one line in a few seconds. */
  private tellProgress(line: string): void {
    const nowMs = Date.now();
    if (nowMs - this.toldProgressAtMs < PROGRESS_EVERY_MS) return;
    this.toldProgressAtMs = nowMs;
    this.logger.log(line);
  }

  peerFailed(peer: string, error: unknown): void {
    // No fault of the peer's, and the watch of the disk has told of it.
    if (error instanceof NearlyFullError) return;
    this.metrics.peerFailed(peer);
    const reason = error instanceof Error ? error.message : String(error);
    if (error instanceof PeerFailure && error.refusal !== undefined) this.lastRefusal.set(peer, error.refusal);
    if (isSilence(error)) this.absent.delete(peer);
    else this.absent.add(peer);
    if (this.lastFailure.get(peer) === reason) return;
    this.lastFailure.set(peer, reason);
    if (error instanceof CorruptRecordError)
      this.logger.error(`an exchange with ${peer} meets a damaged record: ${reason}`);
    else if (error instanceof StoreReadError) this.logger.error(`an exchange with ${peer} fails: ${reason}`);
    else this.logger.warn(reason);
  }

  /** What the last request to a peer that failed came to; undefined: none has. */
  failureOf(peer: string): string | undefined {
    return this.lastFailure.get(peer);
  }

  /** Why a peer that is there has not taken part, the last time that it said so; undefined: it never has. */
  refusalOf(peer: string): string | undefined {
    return this.lastRefusal.get(peer);
  }

  /** Whether something has ended the last request to the peer that failed, a refused connection say: it is no silence. */
  isAbsent(peer: string): boolean {
    return this.absent.has(peer);
  }

  stopped(error: unknown): void {
    this.logger.error(`the replica stops: ${error instanceof Error ? error.stack : String(error)}`);
    this.onStopped(error);
  }
}

/** Codes of failures in which nobody has said anything: neither a process nor a system. */
const SILENCE = new Set(['ETIMEDOUT', 'ECONNABORTED', 'EHOSTUNREACH', 'ENETUNREACH', 'EAI_AGAIN', 'ENOTFOUND']);

function isSilence(error: unknown): boolean {
  const cause = error instanceof PeerFailure ? (error.cause as NodeJS.ErrnoException | undefined) : undefined;
  return SILENCE.has(cause?.code ?? '');
}
