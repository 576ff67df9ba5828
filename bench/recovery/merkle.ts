// What would replicas send that find their differences with Merkle trees? Two trees over `n` keys are built, of which `d`
// differ, and compared as systems with such trees do it: from the root down, wherever hashes differ.
//
// The assumptions, all in favour of the trees:
// - The trees are there: what it costs to build them and to keep them up to date is not looked at.
// - One replica compares itself with one other, once, and only it lacks something.
// - A hash has 16 bytes. Where few children of a node have keys, only theirs are sent, each with its place of 2 bytes.
// - Children of all nodes of a level that differ are asked for in one message, each node named by 4 bytes.
// - Then the keys of the leaves that differ are sent, each with 8 bytes that name its version; then the keys that differ
//   are asked for, and their records sent: key, value, and 30 bytes for version, time and content type, of which 22 are
//   the same for all.
// - Messages are deflated as replicas deflate theirs: from 8 KiB on, at the fastest level, where they shrink.
// - Only bodies count: heads of HTTP, which count for Quartet, are left out.

import { randomBytes } from 'node:crypto';
import { constants, deflateSync } from 'node:zlib';
import { distribute, HASH_BYTES, leafOf, MerkleTree } from './merkle-tree.js';
import { keyOf, VALUE_BYTES } from './write-load.js';

const PLACE_BYTES = 2;
const NODE_ID_BYTES = 4;
const VERSION_ID_BYTES = 8;
/** Counters and times differ from record to record; names of replicas and content types repeat. */
const RECORD_BYTES_MORE = { differing: 8, same: 22 } as const;

export interface Design {
  readonly name: string;
  leaves(keys: number): number;
  readonly fanOut: number;
  /** The whole tree is sent, and then, both ways, all records of the leaves that differ. */
  readonly isSentWhole: boolean;
}

export const DESIGNS: readonly Design[] = [
  { name: 'fan-out 16, leaves of 32', leaves: (keys) => powerOfTwo(keys / 32), fanOut: 16, isSentWhole: false },
  { name: 'as Riak, 1024 × 1024', leaves: () => 1024 * 1024, fanOut: 1024, isSentWhole: false },
  {
    name: 'as Cassandra, ≤ 2^15',
    leaves: (keys) => Math.min(2 ** 15, powerOfTwo(keys)),
    fanOut: 2,
    isSentWhole: true,
  },
];

/** Bytes of all messages until the one has what it lacks, for each number of keys that differ. */
export function merkleBytes(design: Design, keys: number, differing: readonly number[]): readonly number[] {
  const ours = MerkleTree.build(distribute(keys, design.leaves(keys)), design.fanOut);
  return differing.map((count) => {
    // Keys fall into leaves by hash: which of them differ makes no difference, so it is the first ones.
    const lacked = Array.from({ length: count }, (_, index) => index);
    const theirs = ours.withChanged(new Set(lacked));
    return design.isSentWhole ? wholeTreeBytes(theirs, lacked) : walkBytes(ours, theirs, lacked);
  });
}

/** Level by level: which nodes differ, and what their children are. */
function walkBytes(ours: MerkleTree, theirs: MerkleTree, lacked: readonly number[]): number {
  let bytes = HASH_BYTES;
  let nodes: readonly number[] = [0];
  for (let level = 1; level <= ours.depth; level++) {
    const groups = nodes.map((node) => theirs.childrenOf(node, level));
    bytes += sent(asked(nodes)) + sent(Buffer.concat(groups.map((group) => hashes(theirs, level, group))));
    nodes = groups.flat().filter((node) => !ours.hashOf(level, node).equals(theirs.hashOf(level, node)));
  }
  const versions = nodes.flatMap((leaf) => theirs.keysIn(leaf)).map(namedVersion);
  bytes += sent(asked(nodes)) + sent(Buffer.concat(versions));
  return bytes + sent(Buffer.from(lacked.map(keyOf).join('\n'))) + sent(records(lacked));
}

function wholeTreeBytes(tree: MerkleTree, lacked: readonly number[]): number {
  const leaves = Array.from({ length: tree.leafCount }, (_, leaf) => leaf);
  const different = new Set(lacked.map((index) => leafOf(index, tree.leafCount)));
  const streamed = records([...different].flatMap((leaf) => tree.keysIn(leaf)));
  return sent(hashes(tree, tree.depth, leaves)) + 2 * sent(streamed);
}

/** Nodes are named by their places, which no compression makes smaller than this. */
function asked(nodes: readonly number[]): Buffer {
  return randomBytes(nodes.length * NODE_ID_BYTES);
}

/** All of them, or only those that are not empty, whichever is shorter. */
function hashes(tree: MerkleTree, level: number, nodes: readonly number[]): Buffer {
  const filled = nodes.filter((node) => !tree.isEmpty(level, node));
  const isSparse = filled.length * (HASH_BYTES + PLACE_BYTES) < nodes.length * HASH_BYTES;
  if (!isSparse) return Buffer.concat(nodes.map((node) => tree.hashOf(level, node)));
  return Buffer.concat(filled.flatMap((node) => [randomBytes(PLACE_BYTES), tree.hashOf(level, node)]));
}

function namedVersion(index: number): Buffer {
  return Buffer.concat([Buffer.from(keyOf(index)), randomBytes(VERSION_ID_BYTES)]);
}

function records(indices: readonly number[]): Buffer {
  const { differing, same } = RECORD_BYTES_MORE;
  return Buffer.concat(
    indices.flatMap((index) => [Buffer.from(keyOf(index)), Buffer.alloc(same), randomBytes(differing + VALUE_BYTES)]),
  );
}

/** The limits of the replicas' own compression, and its test of whether it pays. */
function sent(message: Buffer): number {
  if (message.length < 8 * 1024) return message.length;
  const packed = deflateSync(message, { level: constants.Z_BEST_SPEED }).length;
  return packed <= message.length * 0.75 ? packed : message.length;
}

function powerOfTwo(atLeast: number): number {
  return 2 ** Math.max(0, Math.ceil(Math.log2(atLeast)));
}
