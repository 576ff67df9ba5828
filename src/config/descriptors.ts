// How many connections may there be at one time? Each takes a file descriptor of the process, and a database that gets none for its
// next file fails in the middle of a commit: the replica must then stop. So clients get what is left over, and no more.

import { readFile } from 'node:fs/promises';

/** What a process holds besides tables: 25 were seen. Twice that, for what is merged, and for files that are looked at. */
const OWN = 100;

/** LevelDB keeps as many tables open; and a sixteenth of all descriptors at most. */
const TABLES_MAX = 1000;
const TABLES_SHARE = 1 / 16;

/** Members other than this one. */
const PEERS_MAX = 15;

/** Messages that are under way to a peer at one time, those for reads and repairs (`exchanges.ts`) and one of each other kind. */
const CONNECTIONS_TO_PEER = 100;

/** Messages that come, and as many connections that their senders have given up. */
const CONNECTIONS_OF_PEER = 2 * CONNECTIONS_TO_PEER;

/** Where so few are allowed, what is set aside is less than a large cluster may need. */
const DESCRIPTORS_MIN = 1024;

export interface ConnectionsMax {
  /** At the clients' port. Replicas come there, too, unless they have a port of their own. */
  readonly clients: number;
  /** At the port for replicas. */
  readonly peers: number;
}

/** As many as this process may have open; undefined: nobody says, or there is no limit. Node itself has asked for all it can get. */
export async function descriptorsMax(limits = '/proc/self/limits'): Promise<number | undefined> {
  const text = await readFile(limits, 'utf8').catch(() => '');
  const found = /^Max open files +(\d+)/m.exec(text);
  return found === null ? undefined : Number(found[1]);
}

/** Half of few descriptors are for clients, however many members there may be. */
export function connectionsMax(descriptors: number | undefined): ConnectionsMax {
  if (descriptors === undefined) return { clients: Infinity, peers: Infinity };
  const peers = Math.min(PEERS_MAX * CONNECTIONS_OF_PEER, Math.floor(descriptors / 8));
  const tables = Math.min(TABLES_MAX, Math.floor(descriptors * TABLES_SHARE));
  const others = OWN + tables + PEERS_MAX * CONNECTIONS_TO_PEER + peers;
  return { clients: Math.max(descriptors - others, Math.floor(descriptors / 2)), peers };
}

/** @returns what to do where there are too few */
export function descriptorsAdvice(descriptors: number | undefined): string | undefined {
  if (descriptors === undefined || descriptors >= DESCRIPTORS_MIN) return undefined;
  return (
    `the process may have ${descriptors} files and connections open, and the database takes no more writes when it can open none: ` +
    `let it have ${DESCRIPTORS_MIN} or more (ulimit -n; LimitNOFILE of systemd, --ulimit nofile of Docker)`
  );
}
