// When has a client taken what it was sent? The response tells, or its connection that nobody will: a response that stands behind
// another one on it is told nothing of its end.

import type { ServerResponse } from 'node:http';

/** A client that takes nothing for this long is cut off: it holds a snapshot, and with it disk that can't be freed. */
const STALLED_MS_MAX = 30_000;

/** Resolves when the client has taken everything, or has left or is cut off: false. */
export function drained(res: ServerResponse): Promise<boolean> {
  const { socket } = res.req;
  // Its end has been told already.
  if (socket.destroyed) return Promise.resolve(false);
  return new Promise((resolve) => {
    const stalled = setTimeout(() => socket.destroy(), STALLED_MS_MAX);
    const settle = (isTaken: boolean): void => {
      clearTimeout(stalled);
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
