// What does Node's HTTP server know of a connection? It keeps that at the socket, undocumented, and asks the same questions of it.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

interface NodeConnection {
  readonly _httpMessage?: ServerResponse | null;
  readonly parser?: { readonly incoming: IncomingMessage | null } | null;
}

interface NodeHandle {
  readonly _handle?: { readonly bytesWritten: number; readonly writeQueueSize: number } | null;
}

/** The response that is written at the moment, until the system has taken the last of it. */
export function responseOf(socket: Duplex): ServerResponse | undefined {
  return (socket as NodeConnection)._httpMessage ?? undefined;
}

/** The request of which more will come. Of one that is known by a part of its head nothing is told. */
export function arrivingOf(socket: Duplex): IncomingMessage | undefined {
  const request = (socket as NodeConnection).parser?.incoming ?? undefined;
  return request?.complete === false ? request : undefined;
}

/** How many bytes the system has taken of the connection, of a write that it has taken in part, too. It never becomes less. */
export function takenOf(socket: Socket): number {
  const handle = (socket as NodeHandle)._handle;
  return handle ? handle.bytesWritten - handle.writeQueueSize : 0;
}
