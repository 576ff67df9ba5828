// What does a replica take from its peers while its disk is nearly full? What it hears, and no keys: it refuses what they push, and
// asks for none. All else goes on: comparisons, members, digests, repairs of damaged keys, which were there, and reads for
// clients, which store one key at most. So it falls behind, and who looks sees that. Nothing has to begin again once there is
// room: each comparison tries anew to ask, and who pushes does so again, though less and less often.

import type { PeerRequest } from './engine/messages.js';
import type { Send } from './engine/output.js';
import { NearlyFullError } from './errors.js';
import type { Room } from './room.port.js';

/** Requests whose answers bring keys. */
const BRING_KEYS: ReadonlySet<Send['kind']> = new Set(['pull', 'pull-ahead', 'pull-keys']);

/** Always in the same words, whoever asks for what: the same failure is logged once. @throws NearlyFullError */
export function checkTakes({ isNearlyFull }: Room, { kind }: PeerRequest): void {
  if (isNearlyFull && kind === 'push')
    throw new NearlyFullError('the disk is nearly full: no keys are taken until there is room');
}

/** @throws NearlyFullError */
export function checkAsks({ isNearlyFull }: Room, { kind }: Send): void {
  if (isNearlyFull && BRING_KEYS.has(kind))
    throw new NearlyFullError('this replica’s own disk is nearly full: it asks for no keys until there is room');
}
