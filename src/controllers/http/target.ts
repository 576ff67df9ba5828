// Which key is meant? The one path segment behind the route's prefix, percent-encoded UTF-8, taken from the URL as the
// client sent it: a router that decodes `%2F` first would find other segments.

import { KEY_BYTES_MAX } from '../../replication/transport/container-codec.js';
import { Problem } from './problem.js';

/** @throws Problem INVALID_KEY, KEY_TOO_LONG */
export function keyOfUrl(url: string, prefix: string): string {
  const end = url.indexOf('?');
  // A proxy's form of the request line has the whole address in it.
  const start = url.startsWith('/') ? 0 : url.indexOf('/', url.indexOf('//') + 2);
  const segment = url.slice(start + prefix.length, end < 0 ? undefined : end);
  if (segment.includes('/')) throw new Problem('INVALID_KEY', 'a slash within a key is written %2F');
  const key = decoded(segment);
  checkKey(key);
  return key;
}

/** Always a string of its own: a slice would keep the whole head of its request for as long as anything knows the key. */
function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new Problem('INVALID_KEY', `"${segment}" is not percent-encoded UTF-8`);
  }
}

/** @throws Problem INVALID_KEY, KEY_TOO_LONG */
export function checkKey(key: string): void {
  if (key === '') throw new Problem('INVALID_KEY', 'a key has at least one byte');
  if (!key.isWellFormed())
    throw new Problem('INVALID_KEY', 'the key has half a surrogate pair, which UTF-8 cannot hold');
  // Three bytes are the most that one unit of the string takes.
  if (key.length * 3 <= KEY_BYTES_MAX) return;
  const bytes = Buffer.byteLength(key);
  if (bytes > KEY_BYTES_MAX) throw new Problem('KEY_TOO_LONG', `the key has ${bytes} bytes; at most ${KEY_BYTES_MAX}`);
}
