// What does an operator read? One line when something changes that a person may have to know; nothing per request.

import { Logger } from '@nestjs/common';
import type { Observation } from '../replication/engine/output.js';
import type { DriverEvents } from '../replication/replica-driver.js';
import { CorruptRecordError } from '../store/record-codec.js';
import type { Metrics } from './metrics.js';

/** A peer that is down fails twice a second: the same failure is logged once until it changes. */
export class ReplicaLog implements DriverEvents {
  private readonly logger = new Logger('Replica');
  private readonly lastFailure = new Map<string, string>();

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
        return this.logger.warn(`a write that came from ${observation.from} is dated far ahead: check its clock`);
      case 'new-incarnation':
        return this.logger.warn(
          `peers know more of ${observation.retired} than this disk does: going on as ${observation.actor}`,
        );
      case 'conflict':
      case 'batch-applied':
      case 'gap':
        return;
    }
  }

  peerFailed(peer: string, error: unknown): void {
    this.metrics.peerFailed(peer);
    const reason = error instanceof Error ? error.message : String(error);
    if (this.lastFailure.get(peer) === reason) return;
    this.lastFailure.set(peer, reason);
    if (error instanceof CorruptRecordError)
      this.logger.error(`a batch from ${peer} meets a damaged record: ${reason}`);
    else this.logger.warn(reason);
  }

  stopped(error: unknown): void {
    this.logger.error(`the replica stops: ${error instanceof Error ? error.stack : String(error)}`);
    this.onStopped(error);
  }
}
