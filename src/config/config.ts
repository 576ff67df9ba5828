// How is this replica set up? By environment variables, read once, here and nowhere else. Every error is reported, not
// just the first, and a name that begins with QUARTET_ but is not known is refused: a typing error must not pass.

import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { RESOLUTIONS, type Resolution } from '../clock/resolution.js';
import { MembersError, parseMembers, peersOf, readMachines, type Member } from '../cluster/members.js';
import { membersOf, systemResolver } from '../cluster/name-service.js';

export interface Config {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** A port of its own for the other replicas, which no client needs to reach; undefined: they come to `port`. */
  readonly peerPort: number | undefined;
  /** Where other replicas reach this one: its own entry among the members, or `QUARTET_URL`. */
  readonly url: string | undefined;
  /** The data folder; made when absent. */
  readonly data: string;
  /** The other members. */
  readonly peers: readonly Member[];
  /** Asks a name service who the members are, from time to time; undefined: they are configured. */
  readonly findMembers: (() => Promise<readonly Member[]>) | undefined;
  readonly durability: Durability;
  readonly resolve: Resolution;
  /** What replicas show each other; undefined: any caller is taken for a replica. */
  readonly clusterSecret: string | undefined;
  readonly valueBytesMax: number;
  /** All request bodies that are being received, or whose writes wait for acknowledgements, at one time. */
  readonly bodyBytesMax: number;
  /** How long a client may take to send a request. */
  readonly requestTimeoutMs: number;
  /** How long a replica that is told to stop, not ready any more, still takes requests. */
  readonly leaveMs: number;
  /** Below this much free disk, writes are refused while everything else still works. */
  readonly diskFreeBytesMin: number;
  /** Log entries kept for members that stay away: beyond, a member that comes back takes over all keys instead. */
  readonly logMax: number;
  /** How long log entries that every member has are kept for readers of the change feed; 0: not at all. */
  readonly feedRetentionSeconds: number;
  /** Readers that wait for changes at one time. */
  readonly feedReadersMax: number;
  /** Records that are read anew and checked in the background; 0: none. */
  readonly scrubKeysPerSecond: number;
  /** How long a request with an `Idempotency-Key` is remembered. */
  readonly requestsKeptMs: number;
}

/**
 * `fsync`: a write is on disk before its answer. `may-lose-writes-on-power-loss`: the operating system has it, and writes
 * it some seconds later; after a stop without closing, the replica goes on as another actor.
 */
export type Durability = (typeof DURABILITIES)[number];

const DURABILITIES = ['fsync', 'may-lose-writes-on-power-loss'] as const;

/** The environment is not usable; the message has one line for each error. */
export class ConfigError extends Error {
  readonly code = 'INVALID_CONFIGURATION';

  constructor(readonly problems: readonly string[]) {
    super(`The configuration is not usable:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

const KIB = 1024;
const MIB = 1024 * KIB;
const DAY_SECONDS = 86_400;

/** @throws ConfigError */
export async function loadConfig(environment: Environment): Promise<Config> {
  const problems: string[] = [];
  const known = new Set<string>();

  function read<T>(name: string, fallback: T, parse: (text: string) => T | undefined, expected: string): T {
    known.add(`QUARTET_${name}`);
    const text = environment[`QUARTET_${name}`];
    if (text === undefined || text === '') return fallback;
    const value = parse(text);
    if (value !== undefined) return value;
    problems.push(`QUARTET_${name}="${text}" must be ${expected}`);
    return fallback;
  }
  const integer = (name: string, fallback: number, min: number, max: number): number =>
    read(name, fallback, (text) => integerIn(text, min, max), `an integer from ${min} to ${max}`);
  const oneOf = <T extends string>(name: string, fallback: T, choices: readonly T[]): T =>
    read(name, fallback, (text) => choices.find((choice) => choice === text), `one of: ${choices.join(', ')}`);
  const text = (name: string): string | undefined =>
    read<string | undefined>(name, undefined, (value) => value, 'a text');

  const name = read(
    'NAME',
    defaultName(),
    (value) => (NAME.test(value) ? value : undefined),
    'a name: [a-z0-9-]{1,63}',
  );
  const host = text('HOST') ?? '127.0.0.1';
  const port = integer('PORT', 5000, 1, 65535);
  const peerPort = read<number | undefined>(
    'PEER_PORT',
    undefined,
    (text) => integerIn(text, 1, 65535),
    'an integer from 1 to 65535',
  );
  if (peerPort === port) problems.push('QUARTET_PEER_PORT must not be QUARTET_PORT; unset, replicas come to that');
  const url = read('URL', undefined, parseUrl, 'an http or https address without a path');
  const self = { name, host, port: peerPort ?? port, url };
  const sources = { peers: text('PEERS'), machines: text('MACHINES'), dns: text('PEERS_DNS') };
  const members = await readMembers(sources, problems);
  if (sources.dns !== undefined && url === undefined) {
    problems.push(
      'QUARTET_URL must say where this node is, so that others reach it who do not ask the name service yet',
    );
  }
  const config: Config = {
    name,
    host,
    port,
    peerPort,
    url: url ?? members.find((member) => member.isNamed && member.name === name)?.url,
    data: text('DATA') ?? `./data/${name}`,
    peers: peersOf(members, self),
    findMembers: finderOf(sources.dns),
    durability: oneOf<Durability>('DURABILITY', 'fsync', DURABILITIES),
    resolve: oneOf('RESOLVE', 'order', RESOLUTIONS),
    clusterSecret: readSecret(text('CLUSTER_SECRET'), text('CLUSTER_SECRET_FILE'), problems),
    valueBytesMax: integer('VALUE_MAX_BYTES', MIB, 1, 16 * MIB),
    bodyBytesMax: integer('BODIES_MAX_BYTES', 128 * MIB, 1, 4096 * MIB),
    requestTimeoutMs: integer('REQUEST_TIMEOUT_MS', 30_000, 100, 600_000),
    leaveMs: integer('LEAVE_MS', 0, 0, 60_000),
    logMax: integer('LOG_MAX_ENTRIES', 1_000_000, 0, Number.MAX_SAFE_INTEGER),
    feedRetentionSeconds: integer('FEED_RETENTION_SECONDS', 3600, 0, 30 * DAY_SECONDS),
    feedReadersMax: integer('FEED_READERS_MAX', 1000, 0, 100_000),
    requestsKeptMs: 1000 * integer('IDEMPOTENCY_SECONDS', DAY_SECONDS, 1, 365 * DAY_SECONDS),
    scrubKeysPerSecond: integer('SCRUB_KEYS_PER_SECOND', 250, 0, 1_000_000),
    diskFreeBytesMin: integer('DISK_FREE_MIN_BYTES', 64 * MIB, 0, Number.MAX_SAFE_INTEGER),
  };
  for (const unknown of Object.keys(environment).filter((key) => key.startsWith('QUARTET_') && !known.has(key))) {
    problems.push(`${unknown} is not a setting; the settings are ${[...known].join(', ')}`);
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

const NAME = /^[a-z0-9-]{1,63}$/;

/** The host name as far as a node name can hold it. */
function defaultName(): string {
  return (
    hostname()
      .split('.')[0]!
      .toLowerCase()
      .replace(/[^a-z0-9-]/g, '-')
      .slice(0, 63) || 'quartet'
  );
}

function integerIn(text: string, min: number, max: number): number | undefined {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  return value >= min && value <= max ? value : undefined;
}

function parseUrl(text: string): string | undefined {
  try {
    const { protocol, origin, href } = new URL(text);
    return /^https?:$/.test(protocol) && href === `${origin}/` ? origin : undefined;
  } catch {
    return undefined;
  }
}

function finderOf(dns: string | undefined): Config['findMembers'] {
  if (dns === undefined) return undefined;
  const resolver = systemResolver();
  return () => membersOf(dns, resolver);
}

async function readMembers(
  { peers, machines, dns }: Record<'peers' | 'machines' | 'dns', string | undefined>,
  problems: string[],
): Promise<readonly Member[]> {
  if ([peers, machines, dns].filter((source) => source !== undefined).length > 1) {
    problems.push('QUARTET_PEERS, QUARTET_MACHINES and QUARTET_PEERS_DNS say who the members are; set one of them');
    return [];
  }
  try {
    return machines === undefined ? parseMembers(peers ?? '') : await readMachines(machines);
  } catch (error) {
    if (!(error instanceof MembersError)) throw error;
    problems.push(`QUARTET_${machines === undefined ? 'PEERS' : 'MACHINES'}: ${error.message}`);
    return [];
  }
}

function readSecret(secret: string | undefined, file: string | undefined, problems: string[]): string | undefined {
  if (file === undefined) return checkSecret(secret, 'QUARTET_CLUSTER_SECRET', problems);
  if (secret !== undefined) {
    problems.push('QUARTET_CLUSTER_SECRET and QUARTET_CLUSTER_SECRET_FILE are both set; set one of them');
  }
  try {
    const content = readFileSync(file, 'utf8').trim();
    if (content === '') problems.push(`QUARTET_CLUSTER_SECRET_FILE: ${file} is empty`);
    return checkSecret(content, 'QUARTET_CLUSTER_SECRET_FILE', problems);
  } catch (error) {
    problems.push(`QUARTET_CLUSTER_SECRET_FILE: ${(error as Error).message}`);
    return undefined;
  }
}

/** Replicas show it in a header, which carries nothing else unchanged. The message does not quote it. */
function checkSecret(secret: string | undefined, name: string, problems: string[]): string | undefined {
  if (secret !== undefined && (/[^\x20-\x7e]/.test(secret) || secret !== secret.trim())) {
    problems.push(`${name} must be printable ASCII without spaces at its ends`);
  }
  return secret;
}
