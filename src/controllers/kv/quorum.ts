// What if fewer replicas answer than a read asks for? It is refused: what it would have to merge is not known.

import type { Container } from '../../clock/container.js';
import type { ReplicaDriver } from '../../replication/replica-driver.js';
import type { ReadRequest, Shown } from '../../replication/requests.js';
import { Problem } from '../http/problem.js';

/** What the replicas that answered know of the key, merged and filled. @throws Problem QUORUM_NOT_REACHED */
export async function readQuorum(driver: ReplicaDriver, request: ReadRequest): Promise<Container & Shown> {
  const result = await driver.readQuorum(request);
  if (result.kind === 'read') return { ...result.container, past: result.past };
  const { answersNeeded, timeoutMs } = request;
  throw new Problem(
    'QUORUM_NOT_REACHED',
    `${result.answers} of ${answersNeeded} replicas have answered within ${timeoutMs} ms; try again, or ask for fewer`,
    { 'Retry-After': '1' },
  );
}
