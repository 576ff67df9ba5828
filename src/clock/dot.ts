// Which write event is this?
//
// A dot (actor, n) names exactly one write event, of any key: the n-th write of that actor. An actor's counters run
// 1, 2, 3… without holes, and a dot is never used twice: two values under one dot would never converge.
// Source: Preguiça, Almeida, Baquero, Fonte, Gonçalves: Dotted Version Vectors (arXiv:1011.5808).

/** `name.incarnation`: one life of one node's disk. A fresh or doubtful disk gets a fresh incarnation. */
export type Actor = string;

/** One write event. `counter` is an integer from 1 to 2^53 - 1. */
export interface Dot {
  readonly actor: Actor;
  readonly counter: number;
}

/** Dots `from + 1` to `to` of one actor. */
export interface DotSpan {
  readonly actor: Actor;
  readonly from: number;
  readonly to: number;
}

/** Total order of dots, by actor and then by counter: the order in which a container lists its versions. */
export function compareDots(left: Dot, right: Dot): number {
  if (left.actor !== right.actor) return left.actor < right.actor ? -1 : 1;
  return left.counter - right.counter;
}

/** `name.incarnation:counter`, as shown to clients and in logs. */
export function formatDot(dot: Dot): string {
  return `${dot.actor}:${dot.counter}`;
}

/** The node's name, without the incarnation. Names hold no dot, so the first one ends the name. */
export function actorName(actor: Actor): string {
  const end = actor.indexOf('.');
  return end < 0 ? actor : actor.slice(0, end);
}
