// What becomes of connections that are too many? Node closes them as soon as they come: whoever opens them sees a connection that
// ends without an answer. There may be thousands a second: they are counted, and one line a minute at most says so.

import type { DropArgument, Server } from 'node:net';
import { Logger } from '@nestjs/common';
import { Seldom } from '../../observability/seldom.js';

export class Refusals {
  private readonly logger = new Logger('Http');
  private refusedCount = 0;
  private readonly seldom = new Seldom();
  private toldCount = 0;

  /** Of connections. */
  get count(): number {
    return this.refusedCount;
  }

  /** From now on the server has so many connections at most. */
  limit(server: Server, connectionsMax: number): void {
    server.maxConnections = connectionsMax;
    server.on('drop', (connection?: DropArgument) => this.refused(connectionsMax, connection?.remoteAddress));
  }

  private refused(connectionsMax: number, address: string | undefined): void {
    this.refusedCount++;
    if (!this.seldom.isDue()) return;
    const count = this.refusedCount - this.toldCount;
    this.toldCount = this.refusedCount;
    this.logger.warn(
      `there are ${connectionsMax} connections, as many as file descriptors allow (ulimit -n): others are refused, ` +
        `${count} since this was last said, of them one from ${address ?? 'an address unknown'}`,
    );
  }
}
