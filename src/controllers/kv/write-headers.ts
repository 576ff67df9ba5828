// What do the headers of a write say?

import type { Version } from '../../clock/container.js';
import type { Request } from '../http/exchange.js';
import { isTagList, matchesTag } from '../http/etag.js';
import { Problem, type ProblemCode } from '../http/problem.js';

const CONTENT_TYPE_LENGTH_MAX = 255;

/** Kept and returned with the value. @throws Problem INVALID_HEADER */
export function contentTypeOf(req: Request): string {
  const contentType = req.headers['content-type'];
  if (contentType === undefined) return 'application/octet-stream';
  checkContentType(contentType, 'INVALID_HEADER', 'Content-Type');
  return contentType;
}

/** @throws Problem `code` */
export function checkContentType(contentType: string, code: ProblemCode, name: string): void {
  if (contentType.length <= CONTENT_TYPE_LENGTH_MAX && /^[\x20-\x7e]+$/.test(contentType)) return;
  throw new Problem(code, `${name} is not ASCII of 1 to ${CONTENT_TYPE_LENGTH_MAX} characters`);
}

/**
 * Headers that change what the bytes mean, and that this store does not keep: to take such a body as if they were not
 * there would hand it out as something else.
 * @throws Problem
 */
export function refuseUnsafeHeaders(req: Request): void {
  const encoding = req.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw new Problem(
      'UNSUPPORTED_MEDIA_TYPE',
      `Content-Encoding: ${encoding} is not kept with the value; send it plain`,
    );
  }
  const coding = req.headers['transfer-encoding'];
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') {
    throw new Problem('UNSUPPORTED_MEDIA_TYPE', `Transfer-Encoding: ${coding} is not undone; send it chunked alone`);
  }
  if (req.headers['content-range'] !== undefined) {
    throw new Problem('INVALID_HEADER', 'Content-Range: a value is written whole');
  }
}

/** Of a read or a write. @throws Problem INVALID_HEADER */
export function refuseDate(req: Request): void {
  if (req.headers['if-unmodified-since'] !== undefined) {
    throw new Problem('INVALID_HEADER', 'If-Unmodified-Since: dates are no versions here; use If-Match');
  }
}

/** The condition on the live versions that the request sets; undefined for none. @throws Problem INVALID_HEADER */
export function preconditionOf(req: Request): ((live: readonly Version[]) => boolean) | undefined {
  const ifMatch = req.headers['if-match'];
  const ifNoneMatch = req.headers['if-none-match'];
  refuseDate(req);
  if (ifMatch === undefined && ifNoneMatch === undefined) return undefined;
  checkTags('If-Match', ifMatch);
  checkTags('If-None-Match', ifNoneMatch);
  return (live) =>
    (ifMatch === undefined || matchesTag(ifMatch, live, false)) &&
    (ifNoneMatch === undefined || !matchesTag(ifNoneMatch, live, true));
}

/** A condition that can't be read must not count for none: the write would be done whatever there is. */
function checkTags(name: string, list: string | undefined): void {
  if (list !== undefined && !isTagList(list)) {
    throw new Problem('INVALID_HEADER', `${name} is neither * nor entity tags in their quotes, as ETag gives them`);
  }
}

/** Whether the client wants headers only, by RFC 7240. */
export function isMinimal(req: Request): boolean {
  const prefer = req.headers['prefer'];
  return prefer !== undefined && /(?:^|[,\s])return\s*=\s*"?minimal"?(?:$|[;,\s])/.test(String(prefer));
}
