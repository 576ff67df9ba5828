// When is the replica ready for the first time? That it listens says nothing of it: it may have to catch up, or was removed.

import { Logger } from '@nestjs/common';
import type { Readiness } from './readiness.js';

const LOOK_EVERY_MS = 100;

export class StartLog {
  private readonly logger = new Logger('Replica');
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly name: string,
    private readonly readiness: Readiness,
  ) {}

  /** To be called when it listens: nobody reaches it before. */
  start(): void {
    this.timer = setInterval(() => this.look(), LOOK_EVERY_MS).unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private look(): void {
    if (!this.readiness.isReady) return;
    this.stop();
    this.logger.log(`${this.name} is ready`);
  }
}
