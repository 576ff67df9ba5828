// What kind of value does a key have?
//
// One container serves all of them: each version says which type it is a part of, and an operation differs only in which
// versions it replaces. A key has one type, that of its live versions. Two replicas that know nothing of each other may
// give it two; then both live on, as siblings, and the type that comes later in this list is the key's.

/** In the order of precedence, weakest first: what has more structure is not hidden by a plain value that raced with it. */
export const VALUE_TYPES = ['register', 'counter', 'set', 'map'] as const;

export type ValueType = (typeof VALUE_TYPES)[number];
