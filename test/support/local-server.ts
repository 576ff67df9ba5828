// Where does a server of a test listen? At a free port of the loopback.

import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** @returns its address */
export async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Whatever its clients still wait for. */
export function stopListening(server: Server): void {
  server.closeAllConnections();
  server.close();
}
