// When has a server ended? It takes no new connection, finishes what it is answering, and drops connections that wait for
// another request. Who has not got his answer after a while does not get it.

import type { Server } from 'node:http';

/** How long requests under way may take to end once the node is stopping. */
export const CLOSE_MS_MAX = 5000;

/** A connection whose answer came after the last look is idle by the next one. */
const LOOK_EVERY_MS = 50;

/** Resolves when no connection is left; at once for a server that does not listen. */
export function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const look = setInterval(() => server.closeIdleConnections(), LOOK_EVERY_MS);
    const cut = setTimeout(() => server.closeAllConnections(), CLOSE_MS_MAX);
    server.close(() => {
      clearInterval(look);
      clearTimeout(cut);
      resolve();
    });
  });
}
