// How much memory does a container take, or how much of a message? Roughly: what its values take, and a little for each.

import type { Container } from '../clock/container.js';
import { UnreadContainer } from '../clock/unread-container.js';

const BYTES_PER_VERSION = 64;

export function bytesOf(key: string, container: Container): number {
  if (container instanceof UnreadContainer) return key.length + container.encodedVersions.length;
  let bytes = key.length;
  for (const { part, value } of container.versions) bytes += part.length + value.length + BYTES_PER_VERSION;
  return bytes;
}
