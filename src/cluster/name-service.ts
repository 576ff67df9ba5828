// Who are the members, when a name service lists them? The targets of SRV records, as of a headless service: each names a
// member by its first label, and says its port. Who joins appears there, so the list is asked for again and again; who
// disappears may be starting anew, and stays a member until it is forgotten.

import { Resolver } from 'node:dns/promises';
import { MembersError, MEMBERS_MAX, parseMembers, type Member } from './members.js';

const TRY_MS = 1000;
const TRIES = 3;

/** Asks the system's name servers. */
export function systemResolver(): Resolver {
  return new Resolver({ timeout: TRY_MS, tries: TRIES });
}

/**
 * The members that `name` lists now, this node included; none while nobody is listed yet.
 * @param name of SRV records, such as `_quartet._tcp.quartet-peers.default.svc.cluster.local`
 * @throws MembersError when a record names no member; what the resolver throws when nobody answers
 */
export async function membersOf(name: string, resolver: Pick<Resolver, 'resolveSrv'>): Promise<readonly Member[]> {
  const records = await resolver.resolveSrv(name).catch((error: unknown) => {
    if (isNobodyListed(error)) return [];
    throw error;
  });
  if (records.length > MEMBERS_MAX) throw new MembersError(`${name} lists ${records.length}; at most ${MEMBERS_MAX}`);
  const targets = records.map(({ name: target, port }) => ({ target: target.toLowerCase().replace(/\.$/, ''), port }));
  return parseMembers(targets.map(({ target, port }) => `${target.split('.')[0]}=http://${target}:${port}`).join(','));
}

function isNobodyListed(error: unknown): boolean {
  return ['ENOTFOUND', 'ENODATA'].includes((error as NodeJS.ErrnoException).code ?? '');
}
