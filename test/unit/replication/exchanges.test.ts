// When may a replica that stops close its database? When no exchange with a peer is under way, or it has waited long enough. And what
// is not sent at all? And what waits while a peer hangs?

import { describe, expect, test } from '@jest/globals';
import { EMPTY_VECTOR } from '../../../src/clock/version-vector.js';
import type { CommittedView } from '../../../src/store/committed-view.js';
import { MemoryStore } from '../../../src/store/memory/memory-store.js';
import { blankNode } from '../../../src/store/record-codec.js';
import { ReplicaStore } from '../../../src/store/replica-store.js';
import type { PeerAnswer } from '../../../src/replication/engine/messages.js';
import type { Send } from '../../../src/replication/engine/output.js';
import { DRAIN_TIMEOUT_MS, Exchanges, READS_MAX, REPAIRS_MAX } from '../../../src/replication/exchanges.js';
import { MESSAGE_LIMITS, MessageReader } from '../../../src/replication/message-reader.js';

const PULLS = [
  { to: 'n2', kind: 'pull', since: EMPTY_VECTOR, wants: 'dots' },
  { to: 'n2', kind: 'pull-ahead', after: undefined },
  { to: 'n2', kind: 'pull-keys', after: undefined, attempt: 1 },
] as const;

const TO_B = { to: 'n2', kind: 'members', members: new Map() } as const;

/** Peers answer when they are told to, time passes when it is told to, and nothing of a view is read, unless there is one. */
function scene({ isNearlyFull } = { isNearlyFull: false }, view?: CommittedView) {
  const answers: ((answer: PeerAnswer) => void)[] = [];
  const sent: { readonly kind: string; readonly timeoutMs: number | undefined }[] = [];
  const timers = new Map<number, () => void>();
  const seen: string[] = [];
  const exchanges = new Exchanges(new MessageReader(MESSAGE_LIMITS), {
    transport: {
      send: (_to, { kind }, timeoutMs) => {
        sent.push({ kind, timeoutMs });
        return new Promise<PeerAnswer>((resolve) => answers.push(resolve));
      },
    },
    time: {
      nowMs: () => 0,
      soon: (action) => action(),
      after: (delayMs, action) => {
        timers.set(delayMs, action);
        return () => timers.delete(delayMs);
      },
    },
    room: { isNearlyFull },
    withView: (use) => use(view as CommittedView),
    take: (input) => {
      seen.push(input.kind);
      if (input.kind === 'peer-failure' && input.wasAnswered) seen.push('as refused');
    },
    areAcksAwaited: () => false,
    peerFailed: () => void seen.push('failed'),
  });
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  const drain = () => void exchanges.drained().then(() => seen.push('drained'));
  const answer = () => answers.shift()!({ kind: 'members', members: new Map() });
  return { exchanges, timers, seen, settled, drain, answer, answers, sent };
}

describe('Exchanges are drained', () => {
  test('at once when none is under way', async () => {
    const { seen, settled, drain, timers } = scene();
    drain();
    await settled();
    expect(seen).toEqual(['drained']);
    expect(timers.size).toBe(0);
  });

  test('when the last of those under way has been answered, and no timer is left', async () => {
    const { exchanges, seen, settled, drain, answer, timers } = scene();
    exchanges.begin(TO_B);
    exchanges.begin(TO_B);
    await settled();
    drain();
    answer();
    await settled();
    expect(seen).toEqual(['peer-answer']);
    answer();
    await settled();
    expect(seen).toEqual(['peer-answer', 'peer-answer', 'drained']);
    expect(timers.size).toBe(0);
  });

  test('after a while though a peer is silent', async () => {
    const { exchanges, seen, settled, drain, timers } = scene();
    exchanges.begin(TO_B);
    await settled();
    drain();
    await settled();
    expect(seen).toEqual([]);
    timers.get(DRAIN_TIMEOUT_MS)!();
    await settled();
    expect(seen).toEqual(['drained']);
  });
});

describe('On a disk that is nearly full', () => {
  test.each(PULLS)('$kind is not sent, and fails at once as if it had been refused', async (send) => {
    const { exchanges, seen, settled, answers } = scene({ isNearlyFull: true });
    exchanges.begin(send);
    await settled();
    expect(answers).toEqual([]);
    expect(seen).toEqual(['failed', 'peer-failure', 'as refused']);
  });

  test('a client’s read is sent, and so are members, and what is asked for damaged keys, which were there', async () => {
    const { exchanges, settled, answers } = scene({ isNearlyFull: true });
    exchanges.begin({ to: 'n2', kind: 'read', id: 1, key: 'key', timeoutMs: 50 });
    exchanges.begin(TO_B);
    exchanges.begin({ to: 'n2', kind: 'fetch', keys: ['key'] });
    await settled();
    expect(answers).toHaveLength(3);
  });
});

describe('While a peer hangs', () => {
  const read = (id: number, timeoutMs = 50) => ({ to: 'n2', kind: 'read', id, key: 'key', timeoutMs }) as const;
  const COMPARE = { to: 'n2', kind: 'compare', clock: EMPTY_VECTOR } as unknown as Send;

  test('clients’ reads have a bounded number of messages at it, and a comparison goes all the same', async () => {
    const { exchanges, settled, sent } = scene();
    for (let id = 1; id <= 2 * READS_MAX; id++) exchanges.begin(read(id));
    await settled();
    expect(sent).toHaveLength(READS_MAX);
    exchanges.begin(COMPARE);
    await settled();
    expect(sent).toHaveLength(READS_MAX + 1);
    expect(sent.at(-1)!.kind).toBe('compare');
  });

  test('what waits for a read is never sent once that is over, and says nothing of the peer', async () => {
    const { exchanges, settled, sent, seen, answer } = scene();
    for (let id = 1; id <= READS_MAX + 1; id++) exchanges.begin(read(id));
    await settled();
    exchanges.leaveRead(READS_MAX + 1);
    answer();
    await settled();
    expect(sent).toHaveLength(READS_MAX);
    expect(seen).toEqual(['peer-answer']);
  });

  test('repairs have a bounded number of messages at it as well', async () => {
    const { view } = await ReplicaStore.open(new MemoryStore(), blankNode('n1.a'));
    const { exchanges, settled, sent } = scene(undefined, view);
    for (let repair = 0; repair <= REPAIRS_MAX; repair++) exchanges.begin({ to: 'n2', kind: 'repair', key: 'key' });
    await settled();
    expect(sent).toHaveLength(REPAIRS_MAX);
  });

  test('a message of a read waits as long as its reader, and not less than a comparison', async () => {
    const { exchanges, settled, sent } = scene();
    exchanges.begin(read(1, 5000));
    exchanges.begin(read(2, 50));
    await settled();
    expect(sent.map(({ timeoutMs }) => timeoutMs)).toEqual([5000, 2000]);
  });
});
