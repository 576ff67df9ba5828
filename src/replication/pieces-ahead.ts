// Who takes over all keys asks for one piece after the other. While one is on its way and merged, the next is read: whenever
// that was, it is true of then.

import type { Piece } from './engine/messages.js';
import type { Cancel, Time } from './time.port.js';

/** Nobody who still takes over keys is silent for so long: what has been read is let go. */
const KEPT_MS = 5000;

interface ReadAhead {
  readonly after: string;
  /** Undefined: it can't be read now. */
  readonly piece: Promise<Piece | undefined>;
  readonly letGo: Cancel;
}

export class PiecesAhead {
  private readonly ahead = new Map<string, ReadAhead>();
  private readonly reading = new Set<Promise<Piece | undefined>>();
  private isOver = false;

  constructor(
    private readonly time: Time,
    private readonly read: (after: string | undefined) => Promise<Piece>,
  ) {}

  /** The piece after this key, for this peer. Rejects as reading it does. */
  async take(peer: string, after: string | undefined): Promise<Piece> {
    const ahead = this.ahead.get(peer);
    ahead?.letGo();
    this.ahead.delete(peer);
    const piece = (ahead?.after === after ? await ahead?.piece : undefined) ?? (await this.read(after));
    if (piece.span.through !== undefined) this.readNext(peer, piece.span.through);
    return piece;
  }

  /** Resolves when nothing is read any more. */
  async end(): Promise<void> {
    this.isOver = true;
    for (const { letGo } of this.ahead.values()) letGo();
    this.ahead.clear();
    await Promise.all(this.reading);
  }

  private readNext(peer: string, after: string): void {
    if (this.isOver) return;
    // The peer asks all the same, and is told why not.
    const piece = this.read(after).catch(() => undefined);
    this.reading.add(piece);
    void piece.then(() => this.reading.delete(piece));
    const letGo = this.time.after(KEPT_MS, () => this.ahead.delete(peer));
    this.ahead.get(peer)?.letGo();
    this.ahead.set(peer, { after, piece, letGo });
  }
}
