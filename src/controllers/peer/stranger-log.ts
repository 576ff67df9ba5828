// Who comes as a replica and is none of this cluster's? One that is set up wrongly asks twice a second, and anybody can ask: one
// line a minute at most, and nothing of what was shown.

import { Logger } from '@nestjs/common';
import { Seldom } from '../../observability/seldom.js';
import type { Problem } from '../http/problem.js';

export class StrangerLog {
  private readonly logger = new Logger('Http');
  private readonly seldom = new Seldom();

  /** @param address undefined when it has gone */
  cameFrom(address: string | undefined, { code }: Pick<Problem, 'code'>): void {
    if (!this.seldom.isDue()) return;
    const shown =
      code === 'UNAUTHENTICATED' ? 'no QUARTET_CLUSTER_SECRET' : 'another QUARTET_CLUSTER_SECRET than this one';
    this.logger.warn(`a replica at ${address ?? 'an address unknown'} shows ${shown}: it is refused`);
  }
}
