/** A rule of the protocol is broken: the node's state can't be trusted, and it must stop rather than spread it. */
export class InvariantError extends Error {
  readonly code = 'INVARIANT_BROKEN';
}

/** Asserts what must be true whatever comes from outside. Stays on in production. */
export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}
