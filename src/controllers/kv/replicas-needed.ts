// How many replicas do `?w=` and `?r=` ask for?

import { Problem } from '../http/problem.js';
import type { Query } from '../http/query.js';

/** @throws Problem INVALID_QUERY, also for more replicas than there are: they could never answer */
export function replicasNeeded(query: Query, name: 'w' | 'r', memberCount: number): number {
  const text = query.get(name);
  if (text === undefined) return 1;
  if (text === 'all') return memberCount;
  if (text === 'majority') return Math.floor(memberCount / 2) + 1;
  const count = /^\d{1,2}$/.test(text) ? Number(text) : NaN;
  if (count >= 1 && count <= memberCount) return count;
  throw new Problem(
    'INVALID_QUERY',
    `${name}=${text} is not majority, all, or an integer from 1 to ${memberCount}, the members`,
  );
}
