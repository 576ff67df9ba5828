// One character a byte: keys as texts can stand in maps, and their order is the order of the bytes.

export function toText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

export function toBytes(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}

export function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
