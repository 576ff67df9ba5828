// Few actors and content types stand in a great many versions. To know them again by their bytes is cheaper than to decode
// them once more, and all versions share one string.

const PLACES = 64;

interface Known {
  readonly bytes: Uint8Array;
  readonly text: string;
}

/** Texts of one kind. Remembers some that were found valid; an older one gives way. */
export class KnownTexts {
  private readonly known = new Array<Known | undefined>(PLACES);

  constructor(
    readonly pattern: RegExp,
    /** What is wrong with a text that does not match. */
    readonly problem: string,
  ) {}

  find(bytes: Uint8Array): string | undefined {
    const found = this.known[placeOf(bytes)];
    return found !== undefined && isSame(found.bytes, bytes) ? found.text : undefined;
  }

  add(bytes: Uint8Array, text: string): void {
    this.known[placeOf(bytes)] = { bytes: new Uint8Array(bytes), text };
  }
}

/** The last byte tells incarnations apart, the first and the middle one names and types. */
function placeOf(bytes: Uint8Array): number {
  const { length } = bytes;
  if (length === 0) return 0;
  return (length * 5 + bytes[0]! * 7 + bytes[Math.floor(length / 2)]! * 3 + bytes[length - 1]!) % PLACES;
}

function isSame(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  for (let place = left.length - 1; place >= 0; place--) if (left[place] !== right[place]) return false;
  return true;
}
