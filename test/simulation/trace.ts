// What happened, and was it the same as the last time? A digest of all events tells whether two runs were one and the
// same; the last events, described for people, tell how a run came to its failure.

import type { SimulatedEvent } from './timeline.js';

const EVENTS_KEPT = 400;

/** A look at a global is slow in jest's sandbox, and this one is taken for each byte. */
const { imul } = Math;

export class Trace {
  steps = 0;
  private digest = 0x811c9dc5;
  private readonly lines: string[] = [];

  constructor(private readonly isVerbose: boolean) {}

  add({ atMs, node, kind, detail }: SimulatedEvent): void {
    this.steps++;
    this.mix(atMs);
    for (let i = 0; i < node.length; i++) this.mix(node.charCodeAt(i));
    for (let i = 0; i < kind.length; i++) this.mix(kind.charCodeAt(i));
    if (this.isVerbose)
      this.note(`${String(atMs).padStart(7)} ms  ${node.padEnd(3)} ${kind}${detail ? ` ${detail()}` : ''}`);
  }

  /** Something worth reading that is no event of its own. */
  note(line: string): void {
    if (!this.isVerbose) return;
    this.lines.push(`${String(this.steps).padStart(6)} ${line}`);
    if (this.lines.length > EVENTS_KEPT) this.lines.shift();
  }

  last(count: number): readonly string[] {
    return this.lines.slice(-count);
  }

  get hash(): string {
    return (this.digest >>> 0).toString(16).padStart(8, '0');
  }

  private mix(value: number): void {
    this.digest = imul(this.digest ^ value, 0x01000193);
  }
}
