// How far has it come? One line on a terminal, rewritten a few times a second; nothing where nobody looks.

const REWRITE_EVERY_MS = 100;

const CLEAR_LINE = '\r\x1b[K';

/** Where it is shown: standard error, so that it never ends up in a result. */
export interface Terminal {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

export class ProgressLine {
  private shownAtMs = 0;
  private isShown = false;

  constructor(private readonly terminal: Terminal) {}

  show(text: string, nowMs: number): void {
    if (this.terminal.isTTY !== true || nowMs - this.shownAtMs < REWRITE_EVERY_MS) return;
    this.shownAtMs = nowMs;
    this.isShown = true;
    this.terminal.write(`${CLEAR_LINE}${text}`);
  }

  /** Leaves no trace. */
  clear(): void {
    if (this.isShown) this.terminal.write(CLEAR_LINE);
    this.isShown = false;
  }
}
