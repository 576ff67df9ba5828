// How do bytes stand in JSON? As `value`, a string, when they are valid UTF-8, else as `base64`.

import { isUtf8 } from 'node:buffer';

export type JsonValue = { readonly value: string } | { readonly base64: string };

export function valueToJson(bytes: Uint8Array): JsonValue {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return isUtf8(buffer) ? { value: buffer.toString() } : { base64: buffer.toString('base64') };
}
