// Who takes over all keys asks for the next pieces while one is being merged: whenever the peer has read them, they are true
// of then. A few at most wait here, for each may be a megabyte.

import type { PeerAnswer, PeerRequest, Piece } from './engine/messages.js';

const TO_COME_MAX = 2;

interface ToCome {
  readonly to: string;
  readonly after: string;
  readonly answer: Promise<PeerAnswer>;
  /** Where it ends, once it is here; undefined too when it is the last one, or none. */
  through: string | undefined;
}

export class PiecesToCome {
  /** One follows the other. */
  private pieces: readonly ToCome[] = [];

  constructor(private readonly send: (to: string, request: PeerRequest) => Promise<PeerAnswer>) {}

  /** The piece after this key, if it was asked for; if it was not, the others that were are of no use either. */
  take(to: string, after: string | undefined): Promise<PeerAnswer> | undefined {
    const [first, ...others] = this.pieces;
    const isFirst = first?.to === to && first.after === after;
    this.pieces = isFirst ? others : [];
    return isFirst ? first.answer : undefined;
  }

  /** This piece has come: asks for those that follow. */
  follow(to: string, { span: { through } }: Piece): void {
    if (this.pieces.length === 0) this.ask(to, through);
    else this.askNext();
  }

  /** It may be long until the piece before them is asked for again, and what is taken then must not be of long ago. */
  letGo(): void {
    this.pieces = [];
  }

  private askNext(): void {
    const last = this.pieces.at(-1);
    if (last !== undefined && this.pieces.length < TO_COME_MAX) this.ask(last.to, last.through);
  }

  private ask(to: string, after: string | undefined): void {
    if (after === undefined) return;
    const piece: ToCome = { to, after, answer: this.send(to, { kind: 'pull-keys', after }), through: undefined };
    this.pieces = [...this.pieces, piece];
    piece.answer.then(
      (answer) => {
        if (answer.kind === 'piece') piece.through = answer.piece.span.through;
        if (this.pieces.at(-1) === piece) this.askNext();
      },
      // Whoever takes it hears of it.
      () => {},
    );
  }
}
