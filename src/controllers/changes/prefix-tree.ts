// With which of many prefixes does a key begin? A tree of what the prefixes have in common tells it for the price of the key's
// length, however many there are. What a key has found is taken out: nobody is found twice.

interface Branch<T> {
  /** What it adds to the text of the branch that it grows from. */
  text: string;
  readonly members: Set<T>;
  /** By the first unit of their texts. */
  readonly branches: Map<string, Branch<T>>;
}

export class PrefixTree<T> {
  private readonly root: Branch<T> = branchOf('');

  add(prefix: string, member: T): void {
    let branch = this.root;
    for (let rest = prefix; rest !== '';) {
      const next = branch.branches.get(rest[0]!) ?? branchOf(rest);
      const length = lengthInCommon(next.text, rest);
      branch.branches.set(rest[0]!, length < next.text.length ? forked(next, length) : next);
      branch = branch.branches.get(rest[0]!)!;
      rest = rest.slice(length);
    }
    branch.members.add(member);
  }

  delete(prefix: string, member: T): void {
    const path = this.path(prefix);
    path.at(-1)!.members.delete(member);
    prune(path);
  }

  /** Removes all whose prefixes the key begins with. */
  take(key: string): T[] {
    const path = this.path(key);
    const taken = path.flatMap(({ members }) => [...members]);
    if (taken.length === 0) return taken;
    for (const { members } of path) members.clear();
    prune(path);
    return taken;
  }

  /** The branches whose whole texts the text begins with, from the root on. */
  private path(text: string): Branch<T>[] {
    const path = [this.root];
    for (let at = 0; at < text.length;) {
      const next = path.at(-1)!.branches.get(text[at]!);
      if (next === undefined || !text.startsWith(next.text, at)) break;
      path.push(next);
      at += next.text.length;
    }
    return path;
  }
}

function branchOf<T>(text: string): Branch<T> {
  return { text, members: new Set(), branches: new Map() };
}

/** A branch in place of this one, with the beginning of its text, from which it grows with the rest. */
function forked<T>(branch: Branch<T>, length: number): Branch<T> {
  const fork = branchOf<T>(branch.text.slice(0, length));
  branch.text = branch.text.slice(length);
  fork.branches.set(branch.text[0]!, branch);
  return fork;
}

/** Branches at which nobody stands, and nothing forks, are none. */
function prune<T>(path: readonly Branch<T>[]): void {
  for (let place = path.length - 1; place > 0; place--) {
    const { branches, members, text } = path[place]!;
    if (members.size > 0 || branches.size > 1) continue;
    const [parent, [only]] = [path[place - 1]!.branches, branches.values()];
    if (only === undefined) parent.delete(text[0]!);
    else parent.set(text[0]!, only);
    if (only !== undefined) only.text = text + only.text;
  }
}

function lengthInCommon(left: string, right: string): number {
  let length = 0;
  while (length < left.length && left[length] === right[length]) length++;
  return length;
}
