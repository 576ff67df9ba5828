// A Merkle tree over the keys of this benchmark: keys fall into leaves by hash, the hash of a leaf is that of its keys
// and their versions, and the hash of every other node is that of its children.

import { hash as digest } from 'node:crypto';
import { keyOf } from './write-load.js';

export const HASH_BYTES = 16;
const EMPTY = Buffer.alloc(HASH_BYTES);

export type Leaves = readonly (readonly number[] | undefined)[];

/** Which keys stand in which leaf. */
export function distribute(keys: number, leaves: number): Leaves {
  const filled = Array.from<number[] | undefined>({ length: leaves });
  for (let index = 0; index < keys; index++) (filled[leafOf(index, leaves)] ??= []).push(index);
  return filled;
}

export function leafOf(index: number, leaves: number): number {
  return hash(keyOf(index)).readUInt32BE(0) % leaves;
}

export class MerkleTree {
  private constructor(
    private readonly fanOut: number,
    private readonly leaves: Leaves,
    /** The root first; each is the hashes of a level's nodes, one after the other. */
    private readonly levels: readonly Buffer[],
  ) {}

  static build(leaves: Leaves, fanOut: number): MerkleTree {
    const sizes = [leaves.length];
    while (sizes[0]! > 1) sizes.unshift(Math.ceil(sizes[0]! / fanOut));
    const tree = new MerkleTree(
      fanOut,
      leaves,
      sizes.map((nodes) => Buffer.alloc(nodes * HASH_BYTES)),
    );
    tree.rehash(leaves.keys(), () => 0);
    return tree;
  }

  /** The tree of a replica that has the second version of these keys. */
  withChanged(changed: ReadonlySet<number>): MerkleTree {
    const other = new MerkleTree(
      this.fanOut,
      this.leaves,
      this.levels.map((level) => Buffer.from(level)),
    );
    const touched = new Set([...changed].map((index) => leafOf(index, this.leaves.length)));
    other.rehash(touched, (index) => (changed.has(index) ? 1 : 0));
    return other;
  }

  /** Levels below the root. */
  get depth(): number {
    return this.levels.length - 1;
  }

  get leafCount(): number {
    return this.leaves.length;
  }

  keysIn(leaf: number): readonly number[] {
    return this.leaves[leaf] ?? [];
  }

  /** The children of a node of the level above `level`. */
  childrenOf(node: number, level: number): readonly number[] {
    const nodes = this.levels[level]!.length / HASH_BYTES;
    const first = node * this.fanOut;
    return Array.from({ length: Math.min(this.fanOut, nodes - first) }, (_, place) => first + place);
  }

  hashOf(level: number, node: number): Buffer {
    return this.levels[level]!.subarray(node * HASH_BYTES, (node + 1) * HASH_BYTES);
  }

  /** Nothing stands below this node. */
  isEmpty(level: number, node: number): boolean {
    return this.hashOf(level, node).equals(EMPTY);
  }

  private rehash(leaves: Iterable<number>, versionOf: (index: number) => number): void {
    let touched = new Set<number>();
    for (const leaf of leaves) {
      const keys = this.keysIn(leaf);
      if (keys.length === 0) continue;
      const content = keys.map((index) => `${keyOf(index)}:${versionOf(index)}`).join();
      hash(content).copy(this.hashOf(this.depth, leaf));
      touched.add(Math.floor(leaf / this.fanOut));
    }
    for (let level = this.depth - 1; level >= 0; level--) {
      const groupBytes = this.fanOut * HASH_BYTES;
      for (const node of touched) {
        const children = this.levels[level + 1]!.subarray(node * groupBytes, (node + 1) * groupBytes);
        hash(children).copy(this.hashOf(level, node));
      }
      touched = new Set([...touched].map((node) => Math.floor(node / this.fanOut)));
    }
  }
}

function hash(content: string | Buffer): Buffer {
  return digest('md5', content, 'buffer');
}
