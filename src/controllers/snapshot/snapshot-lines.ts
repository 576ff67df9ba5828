// What stands in a backup? One committed view, line by line: who took it and what it knows, each key as it is stored, and
// at the end how many keys there were and a digest, so that a file that is cut off or damaged is told from a whole one.
//
// The digest is a SHA-256 of `{"clock":…}` (with `"claims"` when there are any) and of each line of a key, every one of them with
// a line feed behind it. Node, actor and time do not go in: equal states have equal digests.
//
// What keys may depend on and was on its way is not in it: whoever is restored is not ready before it has all that its peers
// have, and a cluster that is restored as a whole will never have it.

import { createHash } from 'node:crypto';
import type { Claims } from '../../clock/claims.js';
import { actorName } from '../../clock/dot.js';
import { isEmpty, type Version } from '../../clock/container.js';
import { keep } from '../../clock/lifetime.js';
import type { VersionVector } from '../../clock/version-vector.js';
import type { CommittedView, KeyedContainer } from '../../store/committed-view.js';
import { valueToJson } from '../http/value-json.js';

/** Raised by a change that an older release would misread. */
const SNAPSHOT_VERSION = 2;

/**
 * All of the view, which the caller retains, in the order of keys.
 * @throws CorruptRecordError: a snapshot without the key would say that it was deleted
 */
export async function* snapshotLines(view: CommittedView, nowMs: number): AsyncGenerator<object> {
  const { actor, bootstrap } = view.node;
  const clock = vectorToJson(view.clock);
  const claims = view.claims.length === 0 ? {} : { claims: claimsToJson(view.claims) };
  const digest = createHash('sha256').update(`${JSON.stringify({ clock, ...claims })}\n`);
  const node = actorName(actor);
  yield {
    quartet: 'snapshot',
    version: SNAPSHOT_VERSION,
    node,
    actor,
    clock,
    takenAt: new Date(nowMs).toISOString(),
    ...claims,
    // Claims may outlive it: what only a member knew that has been away since.
    ...(bootstrap === undefined ? {} : { takingOver: true }),
  };
  let keys = 0;
  for await (const chunk of view.storedWithin({ after: undefined, through: undefined })) {
    for (const { key, container } of chunk) {
      // What no replica keeps any more; what is hidden only is in it, for others may still show it.
      const kept = keep(container, nowMs);
      if (isEmpty(kept)) continue;
      const line = keyToJson({ key, container: kept });
      digest.update(`${JSON.stringify(line)}\n`);
      keys++;
      yield line;
    }
  }
  yield { end: true, keys, sha256: digest.digest('hex') };
}

function keyToJson({ key, container: { versions, context } }: KeyedContainer) {
  return {
    key,
    versions: versions.map(versionToJson),
    ...(context.size === 0 ? {} : { context: vectorToJson(context) }),
  };
}

/** A register without a deadline looks as it did in version 1. */
function versionToJson({ actor, counter, stamp, type, part, contentType, value, deadlineMs }: Version) {
  return {
    actor,
    counter,
    stamp,
    ...(type === 'register' ? { contentType } : { type }),
    ...(type === 'set' || type === 'map' ? { part } : {}),
    ...(type === 'set' ? {} : valueToJson(value)),
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
  };
}

/** A range that reaches to the last key has no `through`. */
function claimsToJson(claims: Claims) {
  return claims.map(({ through, clock }) => ({ through, clock: vectorToJson(clock) }));
}

/** In the order of actors: equal vectors look equal. No actor is a number or `__proto__`, which would not be kept. */
function vectorToJson(vector: VersionVector): Record<string, number> {
  return Object.fromEntries([...vector].sort(([left], [right]) => (left < right ? -1 : 1)));
}
