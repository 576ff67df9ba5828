// Who has joined, as a name service tells? Asked every few seconds; the engine takes whom it does not know yet.

import type { Members } from '../clock/membership.js';
import type { Cancel, Time } from './time.port.js';

const EVERY_MS = 5000;

/** As long as nobody is found: a new node does not know yet where it belongs. */
const EVERY_MS_AT_FIRST = 1000;

export interface DiscoveryShell {
  /** Undefined: there is no name service to ask. */
  readonly find: (() => Promise<Members>) | undefined;
  found(members: Members): void;
  /** Told once, until an answer has come again. */
  failed(error: Error): void;
}

export class Discovery {
  private cancel: Cancel = () => {};
  private isStopped = false;
  private hasFailed = false;
  private hasFound = false;

  constructor(
    private readonly shell: DiscoveryShell,
    private readonly time: Pick<Time, 'after'>,
  ) {}

  start(): void {
    const { find } = this.shell;
    if (find !== undefined) void this.lookOn(find);
  }

  stop(): void {
    this.isStopped = true;
    this.cancel();
  }

  private async lookOn(find: () => Promise<Members>): Promise<void> {
    await this.look(find);
    if (!this.isStopped) {
      const afterMs = this.hasFound ? EVERY_MS : EVERY_MS_AT_FIRST;
      this.cancel = this.time.after(afterMs, () => void this.lookOn(find));
    }
  }

  private async look(find: () => Promise<Members>): Promise<void> {
    try {
      const members = await find();
      if (members.size === 0) throw new Error('nobody is listed, not even this node');
      this.hasFound = true;
      if (!this.isStopped) this.shell.found(members);
      this.hasFailed = false;
    } catch (error) {
      if (!this.hasFailed) this.shell.failed(error as Error);
      this.hasFailed = true;
    }
  }
}
