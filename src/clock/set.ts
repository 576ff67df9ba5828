// Which versions does an operation on a set replace?
//
// To add an element, or to remove it, replaces the versions of that element that the author has seen. An add makes a new
// one, even of an element that is there: so an add and a remove that raced leave the element, for the remove has not seen
// the add.
// Source: Almeida, Shoker, Baquero: Delta State Replicated Data Types (arXiv:1603.01529), the add-wins set.

import type { Version } from './container.js';

/** The rule of an operation on these elements. */
export function setReplaces(elements: ReadonlySet<string>): (version: Version) => boolean {
  return ({ type, part }) => type === 'set' && elements.has(part);
}
