// Why can't the replica listen, and which setting is to be changed? One line for whoever has just tried to start it.

import type { Config } from './config.js';

type Listening = Pick<Config, 'host' | 'port' | 'peerPort'>;

/** The configured address can't be had; the message says what to do. */
export class ListenError extends Error {
  readonly code = 'CANNOT_LISTEN';
}

/** @returns undefined for an error that is about something else */
export function listenErrorOf(error: unknown, config: Listening): ListenError | undefined {
  const { code, syscall, port, hostname } = error as NodeJS.ErrnoException & { port?: number; hostname?: string };
  if (syscall !== 'listen' && syscall !== 'getaddrinfo') return undefined;
  const isPeerPort = port !== undefined && port === config.peerPort;
  const setting = isPeerPort ? 'QUARTET_PEER_PORT' : 'QUARTET_PORT';
  const wanted = port ?? config.port;
  const { host } = config;
  switch (code) {
    case 'EADDRINUSE': {
      const message = `${setting}=${wanted}: another process listens at ${addressOf(host, wanted)}; choose another port`;
      return new ListenError(message, { cause: error });
    }
    case 'EACCES':
      return new ListenError(`${setting}=${wanted}: this process may not listen there; choose a port from 1024 on`, {
        cause: error,
      });
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT':
    case 'EAI_AGAIN':
    case 'ENOTFOUND':
      if (hostname !== undefined && hostname !== host) return undefined;
      return new ListenError(
        `QUARTET_HOST=${host} is no address of this machine (${code}); 0.0.0.0 or :: stands for all that it has`,
        { cause: error },
      );
    default:
      return undefined;
  }
}

/** In an address, a host of IPv6 stands in brackets. */
export function addressOf(host: string, port: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
