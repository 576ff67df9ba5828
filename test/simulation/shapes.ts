// What the simulation looks at in production's values: names, counters, stamps and bytes, and nothing of their meaning.

/** A batch as it stands in a message; only names, counters and values are looked at. */
export interface BatchLike {
  readonly clock: ReadonlyMap<string, number>;
  readonly ranges: readonly { readonly actor: string; readonly from: number; readonly keys: readonly string[] }[];
  readonly containers: ReadonlyMap<string, ContainerLike>;
}

export interface ContainerLike {
  readonly versions: readonly VersionLike[];
  readonly context: ReadonlyMap<string, number>;
}

export interface VersionLike {
  readonly actor: string;
  readonly counter: number;
  readonly stamp: number;
  readonly contentType: string;
  readonly value: Uint8Array;
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

export function vectorText(vector: ReadonlyMap<string, number>): string {
  return `{${[...vector].map(([actor, counter]) => `${actor}:${counter}`).join(' ')}}`;
}
