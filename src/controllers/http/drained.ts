// When has a client taken what it was sent? The response tells, or its connection that nobody will: a response that stands
// behind another one on it is told nothing of its end.

import type { ServerResponse } from 'node:http';
import { afterRunning } from './patience.js';
import type { Counted } from './unsent.js';

/** A client that takes nothing for this long is cut off: it holds a snapshot, and with it disk that can't be freed. */
export const STALLED_MS_MAX = 30_000;

/**
 * Of one write nothing tells how much has left before all of it has: who takes many megabytes slowly would look like one
 * who takes nothing. Most pieces fit into one of this size, and it has left in time at five kilobytes a second.
 */
const SLICE_BYTES = 128 * 1024;

/** Resolves when the client has taken everything, or has left or is cut off: false. */
export async function deliver(
  res: ServerResponse & Partial<Counted>,
  bytes: Uint8Array,
  stalledMsMax = STALLED_MS_MAX,
): Promise<boolean> {
  const { socket } = res.req;
  const letGo = res.unsent?.hold(socket, bytes.length);
  for (let from = 0; from < bytes.length; from += SLICE_BYTES) {
    // Its end has been told already.
    if (socket.destroyed) return false;
    const slice = bytes.subarray(from, from + SLICE_BYTES);
    if (!res.write(slice) && !(await drained(res, stalledMsMax))) return false;
  }
  letGo?.();
  return true;
}

function drained(res: ServerResponse, stalledMsMax: number): Promise<boolean> {
  const { socket } = res.req;
  if (socket.destroyed) return Promise.resolve(false);
  return new Promise((resolve) => {
    const stopWaiting = afterRunning(stalledMsMax, () => socket.destroy());
    const settle = (isTaken: boolean): void => {
      stopWaiting();
      res.off('drain', onDrain);
      socket.off('close', onClose);
      resolve(isTaken);
    };
    const onDrain = (): void => settle(true);
    const onClose = (): void => settle(false);
    res.on('drain', onDrain);
    socket.on('close', onClose);
  });
}
