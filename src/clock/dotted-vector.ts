// What has the author of a write seen?
//
// Who has read a key has seen what a version vector says. Who then writes past siblings that came meanwhile has seen that, and
// one dot more, of his own write: a vector that covers it may cover siblings of the same actor that nobody has shown him.
// Source: Preguiça, Almeida, Baquero, Fonte, Gonçalves: Dotted Version Vectors (arXiv:1011.5808).

import { compareDots, type Dot } from './dot.js';
import { advance, covers, type VersionVector } from './version-vector.js';

export interface DottedVector {
  readonly vector: VersionVector;
  /** One that the vector does not cover; undefined: none. */
  readonly dot: Dot | undefined;
}

/** What a client says of itself with a write: what of the key it has seen, and what that may depend on besides. */
export interface AuthorContext extends DottedVector {
  /** Writes of any key that have to be shown, too, to whoever is shown what is written. */
  readonly past: VersionVector;
}

/** Whether the event `other` is one of those. */
export function hasSeen({ vector, dot }: DottedVector, other: Dot): boolean {
  return covers(vector, other) || (dot !== undefined && compareDots(dot, other) === 0);
}

/** The least vector that covers it all. */
export function reachOf({ vector, dot }: DottedVector): VersionVector {
  return dot === undefined ? vector : advance(vector, dot);
}

/**
 * What the author of the write `own`, who had seen `context`, has seen by its answer. That tells of siblings by their number
 * alone, and the author's next write must not replace what was not shown.
 *
 * A dot that this replica has not got yet stays in the context, as long as the one place for a dot is free: wherever it lives,
 * the next write replaces it.
 *
 * @param live the dots that live beside it
 * @param after what the replica knows of the key by then, and what its versions may depend on besides
 * @returns undefined when that says it all
 */
export function seenAfter(
  context: AuthorContext,
  own: Dot,
  live: readonly Dot[],
  after: { readonly context: VersionVector; readonly past: VersionVector },
): AuthorContext | undefined {
  const unseen = live.filter((dot) => !hasSeen(context, dot) && compareDots(dot, own) !== 0);
  if (unseen.length === 0) {
    const dot = beyondVector(context.dot, after.context);
    return dot && { vector: after.context, dot, past: after.past };
  }
  const { vector, past } = context;
  const withOwn = advance(vector, own);
  if (unseen.some((dot) => covers(withOwn, dot))) return { vector, dot: own, past };
  return { vector: withOwn, dot: beyondVector(context.dot, withOwn), past };
}

function beyondVector(dot: Dot | undefined, vector: VersionVector): Dot | undefined {
  return dot === undefined || covers(vector, dot) ? undefined : dot;
}
