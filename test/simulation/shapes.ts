// What the simulation looks at in production's values: names, counters, stamps and bytes, and nothing of their meaning.

/** A batch as it stands in a message; only names, counters and values are looked at. */
export interface BatchLike {
  readonly clock: ReadonlyMap<string, number>;
  readonly ranges: readonly { readonly actor: string; readonly from: number; readonly keys: readonly string[] }[];
  readonly containers: ReadonlyMap<string, ContainerLike>;
  /** These keys are as of that clock. */
  readonly exact: { readonly clock: ReadonlyMap<string, number>; readonly keys: ReadonlySet<string> } | undefined;
}

/** All keys of a span, as one clock knows them. */
export interface PieceLike {
  readonly span: SpanLike;
  readonly clock: ReadonlyMap<string, number>;
  readonly containers: ReadonlyMap<string, ContainerLike>;
}

/** Keys after `after` up to and with `through`; undefined: from the first, to the last. */
export interface SpanLike {
  readonly after: string | undefined;
  readonly through: string | undefined;
}

export interface ContainerLike {
  readonly versions: readonly VersionLike[];
  readonly context: ReadonlyMap<string, number>;
}

export interface VersionLike {
  readonly actor: string;
  readonly counter: number;
  readonly stamp: number;
  readonly type: string;
  readonly part: string;
  readonly contentType: string;
  readonly value: Uint8Array;
  readonly deadlineMs: number | undefined;
}

/** Values are short texts, some of them padded to weigh more; the text ends at the first space. */
export function textOf(value: Uint8Array): string {
  const end = value.indexOf(32);
  return Buffer.from(value.buffer, value.byteOffset, end < 0 ? value.length : end).toString('latin1');
}

export function namesOf(versions: readonly VersionLike[]): string {
  if (versions.length === 1) return `${versions[0]!.actor}:${versions[0]!.counter}`;
  return versions
    .map(({ actor, counter }) => `${actor}:${counter}`)
    .sort()
    .join(' ');
}

export function isSameMap(left: ReadonlyMap<string, number>, right: ReadonlyMap<string, number>): boolean {
  if (left === right) return true;
  if (left.size !== right.size) return false;
  for (const [key, value] of left) if (right.get(key) !== value) return false;
  return true;
}

/** The greatest of each entry. */
export function highest(left: ReadonlyMap<string, number>, right: ReadonlyMap<string, number>): Map<string, number> {
  const all = new Map(left);
  for (const [actor, counter] of right) all.set(actor, Math.max(counter, all.get(actor) ?? 0));
  return all;
}

/** The least of each entry. */
export function lowest(left: ReadonlyMap<string, number>, right: ReadonlyMap<string, number>): Map<string, number> {
  const all = new Map<string, number>();
  for (const [actor, counter] of left) {
    const least = Math.min(counter, right.get(actor) ?? 0);
    if (least > 0) all.set(actor, least);
  }
  return all;
}

export function vectorText(vector: ReadonlyMap<string, number>): string {
  return `{${[...vector].map(([actor, counter]) => `${actor}:${counter}`).join(' ')}}`;
}
