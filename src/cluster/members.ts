// Who are the other replicas? A list of names and addresses, from the environment or from a machines file.

import { readFile } from 'node:fs/promises';

export interface Member {
  readonly name: string;
  /** Where it takes requests, without a trailing slash. */
  readonly url: string;
  /** False for a bare address: its name here stands for the address, and the replica behind it may call itself otherwise. */
  readonly isNamed: boolean;
}

/** An entry of the list makes no sense; the message says which and why. */
export class MembersError extends Error {
  readonly code = 'INVALID_MEMBERS';
}

/** What this node knows of its own place, to find itself in the list. */
export interface Self {
  readonly name: string;
  /** Where it listens, which may be every address that the machine has. */
  readonly host: string;
  readonly port: number;
  /** Where others reach it, without a trailing slash; undefined: not known. */
  readonly url?: string | undefined;
}

/** A cluster is small: every write goes to every member, and clocks and acknowledgements grow with them. */
export const MEMBERS_MAX = 16;

const NAME = /^[a-z0-9-]{1,63}$/;

/**
 * Entries `name=url` or bare `url`, separated by commas or line ends; `#` begins a comment.
 * @throws MembersError
 */
export function parseMembers(text: string): readonly Member[] {
  const entries = text
    .split('\n')
    .map((line) => line.replace(/#.*/, ''))
    .flatMap((line) => line.split(','))
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
  const members = entries.map(parseMember);
  const names = new Set<string>();
  const urls = new Set<string>();
  for (const { name, url } of members) {
    if (names.has(name)) throw new MembersError(`${name} stands twice`);
    if (urls.has(url)) throw new MembersError(`${url} stands twice`);
    names.add(name);
    urls.add(url);
  }
  if (members.length > MEMBERS_MAX) throw new MembersError(`${members.length} members; at most ${MEMBERS_MAX}`);
  return members;
}

/** @throws MembersError when the file can't be read or an entry makes no sense */
export async function readMachines(path: string): Promise<readonly Member[]> {
  try {
    return parseMembers(await readFile(path, 'utf8'));
  } catch (error) {
    throw new MembersError(`${path}: ${(error as Error).message}`, { cause: error });
  }
}

/** All members but this node: neither the entry of its name nor a bare entry of its address. */
export function peersOf(members: readonly Member[], self: Self): readonly Member[] {
  return members.filter((member) => member.name !== self.name && (member.isNamed || !isOwnAddress(member.url, self)));
}

function parseMember(entry: string): Member {
  const [, name, address] = /^(?:([^=:/]+)=)?(.+)$/.exec(entry)!;
  let url: URL;
  try {
    url = new URL(address!);
  } catch {
    throw new MembersError(`"${entry}" is not name=url`);
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new MembersError(`"${entry}" is not an HTTP address`);
  if (url.href !== `${url.origin}/`) {
    throw new MembersError(`"${entry}" has more than a host and a port`);
  }
  if (name !== undefined && !NAME.test(name)) throw new MembersError(`the name in "${entry}" is not [a-z0-9-]{1,63}`);
  return { name: name ?? nameOfAddress(url), url: url.origin, isNamed: name !== undefined };
}

function nameOfAddress(url: URL): string {
  return url.host
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 63);
}

function isOwnAddress(address: string, self: Self): boolean {
  // The host and the port of what others call may be those of a proxy, so this one counts as a whole.
  if (address === self.url) return true;
  const url = new URL(address);
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
  // In an address, a host of IPv6 stands in brackets.
  const hosts = [self.host, `[${self.host}]`, 'localhost', '127.0.0.1', '[::1]'];
  return port === self.port && hosts.includes(url.hostname);
}

/**
 * @param peers the other members
 * @returns where the names before this one end, in the list of all: a part of it, less than 1; undefined: not all are known, or so
 * few that they may be those through which it joins the others
 */
export function placeAmong(name: string, peers: readonly Member[]): number | undefined {
  if (peers.length < 2 || !peers.every(({ isNamed }) => isNamed)) return undefined;
  return peers.filter((peer) => peer.name < name).length / (peers.length + 1);
}
