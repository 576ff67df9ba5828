// Is this a whole snapshot? First line, keys in order, last line, digest: a reader hands out each key as it comes, and ends
// without an error only when everything was there. What is made of the keys must not count before.

import { constants } from 'node:buffer';
import { createHash, type Hash } from 'node:crypto';
import { claimOf, compareKeys } from '../clock/claims.js';
import { join } from '../clock/version-vector.js';
import { linesOf, type Line } from './lines.js';
import {
  check,
  InvalidSnapshotError,
  parseLine,
  readEnd,
  readHeader,
  readKey,
  type SnapshotHeader,
  type SnapshotKey,
} from './snapshot-line.js';

/** A line becomes a string, and no string is longer. */
const LINE_BYTES_MAX = constants.MAX_STRING_LENGTH;

export class SnapshotReader {
  private constructor(
    readonly header: SnapshotHeader,
    private readonly lines: AsyncGenerator<Line>,
  ) {}

  /** @throws InvalidSnapshotError with the number of the line */
  static async open(chunks: AsyncIterable<Uint8Array>): Promise<SnapshotReader> {
    const lines = linesOf(chunks, LINE_BYTES_MAX);
    const first = await lines.next();
    if (first.done === true) throw new InvalidSnapshotError('the snapshot is empty');
    const line = first.value;
    try {
      const header = understand(line, () => readHeader(parseLine(line.bytes)));
      return new SnapshotReader(header, lines);
    } catch (error) {
      // Nobody will read on: the file is let go.
      await lines.return(undefined);
      throw error;
    }
  }

  /**
   * Every key, once. The file was whole only if this comes to its end.
   * @throws InvalidSnapshotError with the number of the line
   */
  async *keys(): AsyncGenerator<SnapshotKey> {
    const digest = createHash('sha256').update(`${this.header.digested}\n`);
    let last: SnapshotKey | undefined;
    let keys = 0;
    let number = 1;
    let isEnded = false;
    for await (const line of this.lines) {
      ({ number } = line);
      const next = understand(line, () => {
        check(!isEnded, 'something stands behind the end');
        return this.read(line, last, keys, digest);
      });
      if (next === undefined) {
        isEnded = true;
        continue;
      }
      last = next;
      keys++;
      yield next;
    }
    if (!isEnded) throw new InvalidSnapshotError(`the snapshot ends after line ${number}: it was cut off`);
  }

  /** The key of the line; undefined at the end. */
  private read(line: Line, last: SnapshotKey | undefined, keys: number, digest: Hash): SnapshotKey | undefined {
    const json = parseLine(line.bytes);
    if ('end' in json) {
      const end = readEnd(json);
      check(end.keys === keys, `it tells of ${end.keys} keys, and there are ${keys}`);
      check(end.sha256 === digest.digest('hex'), 'the digest is another one: something in the snapshot was changed');
      return undefined;
    }
    const { clock, claims } = this.header;
    const keyed = readKey(json, (key) => (claims.length === 0 ? clock : join(clock, claimOf(claims, key))));
    check(last === undefined || compareKeys(last.key, keyed.key) < 0, 'the key does not follow the one before it');
    digest.update(line.bytes).update('\n');
    return keyed;
  }
}

/** What is wrong with the line is told with its number. */
function understand<T>({ number, isEnded }: Line, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof InvalidSnapshotError)) throw error;
    const what = isEnded ? error.message : 'the snapshot ends in the middle of it: it was cut off';
    throw new InvalidSnapshotError(`line ${number}: ${what}`, { cause: error });
  }
}
