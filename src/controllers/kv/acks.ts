// How many replicas does `?w=` ask for?

import { Problem } from '../http/problem.js';

/** @throws Problem INVALID_QUERY, also for more replicas than there are: they could never answer */
export function acksNeeded(w: string | undefined, memberCount: number): number {
  if (w === undefined) return 1;
  if (w === 'all') return memberCount;
  if (w === 'majority') return Math.floor(memberCount / 2) + 1;
  const count = /^\d{1,2}$/.test(w) ? Number(w) : NaN;
  if (count >= 1 && count <= memberCount) return count;
  throw new Problem(
    'INVALID_QUERY',
    `w=${w} is not majority, all, or an integer from 1 to ${memberCount}, the members`,
  );
}
