// Where does one line end and the next begin, in a file that may be larger than memory?

const LINE_FEED = 0x0a;

export interface Line {
  /** From 1. */
  readonly number: number;
  /** Without the line feed. */
  readonly bytes: Buffer;
  /** False for the last one when the file ends without a line feed. */
  readonly isEnded: boolean;
}

/** A line is longer than any that can be read as a text. */
export class LineTooLongError extends Error {
  readonly code = 'LINE_TOO_LONG';
}

/** @throws LineTooLongError */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>, lineBytesMax: number): AsyncGenerator<Line> {
  let number = 1;
  let begun: Buffer[] = [];
  let begunBytes = 0;
  for await (const chunk of chunks) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    let start = 0;
    for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, start)) {
      const rest = bytes.subarray(start, end);
      start = end + 1;
      yield { number, bytes: begun.length === 0 ? rest : Buffer.concat([...begun, rest]), isEnded: true };
      number++;
      begun = [];
      begunBytes = 0;
    }
    if (start === bytes.length) continue;
    begun.push(bytes.subarray(start));
    begunBytes += bytes.length - start;
    if (begunBytes > lineBytesMax) throw new LineTooLongError(`line ${number} is longer than ${lineBytesMax} bytes`);
  }
  if (begunBytes > 0) yield { number, bytes: Buffer.concat(begun), isEnded: false };
}
