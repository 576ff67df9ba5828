/** A promise of the protocol is broken. `invariant` names which; the message says where and how. */
export class Violation extends Error {
  constructor(
    readonly invariant: string,
    message: string,
  ) {
    super(`${invariant}: ${message}`);
  }
}
