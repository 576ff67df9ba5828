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

  /** The text that stands there, if it is known. */
  find(bytes: Uint8Array, from: number, length: number): string | undefined {
    const found = this.known[placeOf(bytes, from, length)];
    return found !== undefined && stands(found.bytes, bytes, from, length) ? found.text : undefined;
  }

  add(bytes: Uint8Array, text: string): void {
    this.known[placeOf(bytes, 0, bytes.length)] = { bytes: new Uint8Array(bytes), text };
  }
}

/** The last byte tells incarnations apart, the first and the middle one names and types. */
function placeOf(bytes: Uint8Array, from: number, length: number): number {
  if (length === 0) return 0;
  return (
    (length * 5 + bytes[from]! * 7 + bytes[from + Math.floor(length / 2)]! * 3 + bytes[from + length - 1]!) % PLACES
  );
}

function stands(sought: Uint8Array, bytes: Uint8Array, from: number, length: number): boolean {
  if (sought.length !== length) return false;
  for (let place = length - 1; place >= 0; place--) if (sought[place] !== bytes[from + place]) return false;
  return true;
}
