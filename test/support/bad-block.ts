// How does a test get a database with a block that can't be read, or with filters that are damaged? All of it is merged into
// one table without compression; then a bit flips in the byte behind a block that says how it is compressed. LevelDB notices
// that, and always the same way: what is in the block can't be read, and what is around it can.

import { open, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ClassicLevel } from '../../src/store/level/engine.js';

/** Of a table: places of two blocks, padded, and a number that says it is one. */
const FOOTER_BYTES = 48;

/** Behind a block: how it is compressed, and a checksum. */
const BLOCK_TRAILER_BYTES = 5;

/** A block has records whose keys follow `after`, up to and with `through`. */
export interface Block {
  readonly file: string;
  readonly after: Buffer;
  readonly through: Buffer;
  /** Where the byte behind its contents stands. */
  readonly end: number;
}

/** Merges a closed database into one table. Yields its blocks in order. */
export async function mergedBlocks(folder: string): Promise<readonly Block[]> {
  const level = new ClassicLevel<Uint8Array, Uint8Array>(folder, {
    keyEncoding: 'view',
    valueEncoding: 'view',
    compression: false,
  });
  // Opened twice: what is in LevelDB's log goes into a table then.
  await level.open();
  await level.close();
  await level.open();
  await level.compactRange(Buffer.of(0), Buffer.of(0xff));
  await level.close();
  const tables = (await readdir(folder)).filter((file) => file.endsWith('.ldb'));
  const blocks: Block[] = [];
  for (const table of tables.sort()) blocks.push(...(await blocksOf(join(folder, table))));
  return blocks.sort((left, right) => Buffer.compare(left.through, right.through));
}

/** Flips the bit in place: a process that has the file open sees it too. */
export async function damage({ file, end }: Block): Promise<void> {
  const handle = await open(file, 'r+');
  try {
    await handle.write(Buffer.of(0x02), 0, 1, end);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A filter of all keys of a table, which the engine of this project makes, and those of its blocks. */
export interface Filters {
  readonly file: string;
  readonly from: number;
  /** Where what checks the filter of all keys ends, which is the last. */
  readonly to: number;
}

export async function filtersOf(blocks: readonly Block[]): Promise<readonly Filters[]> {
  const files = [...new Set(blocks.map(({ file }) => file))];
  return Promise.all(
    files.map(async (file) => {
      const lastEnd = Math.max(...blocks.filter((block) => block.file === file).map(({ end }) => end));
      const table = await readFile(file);
      const to = new Reader(table, table.length - FOOTER_BYTES).number();
      return { file, from: lastEnd + BLOCK_TRAILER_BYTES, to };
    }),
  );
}

/** What stands beside them stays as it is. */
export async function emptyFilters({ file, from, to }: Filters): Promise<void> {
  await writeFile(file, (await readFile(file)).fill(0, from, to));
}

export async function damageWholeFilter({ file, to }: Filters): Promise<void> {
  const table = await readFile(file);
  table[to - 1]! ^= 0xff;
  await writeFile(file, table);
}

/** LevelDB's doc/table_format.md: the footer tells where the index is, and the index where the blocks are. */
async function blocksOf(file: string): Promise<Block[]> {
  const table = await readFile(file);
  const footer = new Reader(table, table.length - FOOTER_BYTES);
  footer.number();
  footer.number();
  const index = new Reader(table, footer.number());
  const indexEnd = index.place + footer.number();
  const restarts = table.readUInt32LE(indexEnd - 4);
  const blocks: Block[] = [];
  let after: Buffer = Buffer.alloc(0);
  while (index.place < indexEnd - 4 - 4 * restarts) {
    if (index.number() !== 0) throw new Error('keys of an index share nothing');
    const [keyBytes] = [index.number(), index.number()];
    // The last eight bytes are LevelDB's own.
    const through = index.bytes(keyBytes).subarray(0, -8);
    const offset = index.number();
    const end = offset + index.number();
    if (table[end] !== 0) throw new Error('a block is compressed');
    blocks.push({ file, after, through, end });
    after = through;
  }
  return blocks;
}

class Reader {
  constructor(
    private readonly from: Buffer,
    public place: number,
  ) {}

  number(): number {
    let number = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.from[this.place++]!;
      number += (byte & 127) * scale;
      if (byte < 128) return number;
    }
  }

  bytes(length: number): Buffer {
    this.place += length;
    return this.from.subarray(this.place - length, this.place);
  }
}
