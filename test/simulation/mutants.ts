// Would the simulation notice? Each mutant is a deliberate bug, put into a copy of production code by a change of its text.
// A simulation that lets one live proves less than it seems to.

import type { Patch } from './mutate.js';

export interface Mutant {
  readonly name: string;
  readonly patches: readonly Patch[];
  /** Seeds to try; rare interleavings need more. */
  readonly seeds?: number;
}

const DRIVER = 'src/replication/replica-driver.ts';
const APPLY = 'src/replication/engine/apply.ts';
const WRITE = 'src/replication/engine/write.ts';
const COMPARE = 'src/replication/engine/compare.ts';
const CONTAINER = 'src/clock/container.ts';
const STORE = 'src/store/replica-store.ts';
const REPAIR = 'src/replication/engine/repair.ts';

function mutant(name: string, file: string, find: string, replace: string): Mutant {
  return { name, patches: [{ file, find, replace }] };
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'answers and sends before the commit',
    patches: [
      { file: DRIVER, find: 'this.committing = group;', replace: 'this.committing = group; this.release(group);' },
      { file: DRIVER, find: 'this.flush();\n    this.release(group);', replace: 'this.flush();' },
    ],
  },
  mutant(
    'acknowledges a push before it has committed it',
    DRIVER,
    'this.committing = group;',
    `this.committing = group;
     for (const reply of group.replies) if (reply.kind === 'clock') this.pending.get(reply.id)?.resolve(reply);`,
  ),
  mutant(
    'reuses dots after a crash: the clock on disk is that of the commit before',
    STORE,
    'value: encodeNode(NODE_KEY, commit.node)',
    'value: encodeNode(NODE_KEY, { ...commit.node, clock: this.latest.clock })',
  ),
  mutant(
    'commits containers and clock one after the other',
    STORE,
    'await this.store.commit(this.encode(commit));',
    `const changes = this.encode(commit);
     await this.store.commit(changes.slice(0, -1));
     await this.store.commit(changes.slice(-1));`,
  ),
  mutant('fills the local side after adding the ranges', APPLY, 'fill(local, before)', 'fill(local, after)'),
  mutant('fills the remote side with the local clock', APPLY, 'fill(remote, batch.clock)', 'fill(remote, before)'),
  mutant(
    "advances by the batch's clock",
    APPLY,
    'state.clock = after;',
    'state.clock = new Map([...after, ...[...batch.clock].filter(([actor, n]) => n > counterOf(after, actor))]);',
  ),
  mutant('takes a range that leaves a gap', APPLY, 'if (gap !== undefined) {', 'if (gap === null) {'),
  mutant('does not log received dots', APPLY, 'effects.logDot(range.actor, counter,', 'void (range.actor, counter,'),
  mutant('does not log deletes', WRITE, 'effects.logDot(', 'if (version !== undefined) effects.logDot('),
  mutant(
    'sweeps the whole context of a key ahead',
    APPLY,
    'effects.storeContext(state, key, left)',
    'effects.storeContext(state, key, new Map())',
  ),
  {
    name: 'does not exchange keys ahead',
    patches: [
      {
        file: COMPARE,
        find: "effects.sends.push({ to: peer.name, kind: 'pull-ahead', after: undefined });",
        replace: '',
      },
    ],
    seeds: 6000,
  },
  mutant(
    'forgets at a restart which keys are ahead',
    'src/replication/engine/state.ts',
    'ahead: new Map(loaded.ahead)',
    'ahead: new Map()',
  ),
  {
    name: 'digests keys ahead in a way that depends on their order',
    patches: [
      { file: 'src/replication/engine/ahead.ts', find: '% 2 ** 52', replace: '% Number.MAX_SAFE_INTEGER' },
      { file: 'src/replication/engine/ahead.ts', find: 'high >>> 12', replace: 'high >>> 11' },
    ],
    seeds: 4000,
  },
  mutant(
    'fills a read with the clock of uncommitted steps',
    DRIVER,
    'return fill(this.store.container(key), this.store.view.clock);',
    'return fill(this.store.container(key), this.replica.clock);',
  ),
  mutant(
    'reads uncommitted containers',
    DRIVER,
    'return fill(this.store.container(key), ',
    'return fill(this.stored.container(key), ',
  ),
  mutant(
    "sends a batch with another commit's clock",
    DRIVER,
    'const answer = await this.outside.transport.send(send.to, await this.withView((view) => readRequest(view, send)));',
    `const request = await this.withView((view) => readRequest(view, send));
     const clock = this.store.view.clock;
     const sent = request.kind === 'push' ? { ...request, batch: { ...request.batch, clock } } : request;
     const answer = await this.outside.transport.send(send.to, sent);`,
  ),
  mutant(
    'loses a sibling in a merge',
    CONTAINER,
    'else if (order < 0 && !covers(right.context, a!))',
    'else if (order < 0 && right.versions.length === 0 && !covers(right.context, a!))',
  ),
  mutant(
    'keeps a replaced version in a merge',
    CONTAINER,
    'else if (order > 0 && !covers(left.context, b!))',
    'else if (order > 0)',
  ),
  mutant(
    'forgets one context in a merge',
    CONTAINER,
    'context: join(left.context, right.context)',
    'context: left.context',
  ),
  mutant(
    "forgets the author's context in a write",
    CONTAINER,
    'advance(join(container.context, seen), dot)',
    'advance(container.context, dot)',
  ),
  mutant('replaces what the author has not seen', WRITE, 'input.context ?? before.context', 'before.context'),
  mutant(
    'keeps what a write without context replaces',
    WRITE,
    'input.context ?? before.context',
    'input.context ?? new Map()',
  ),
  mutant(
    'never pulls what an origin has stopped to push',
    COMPARE,
    '(isFirst || (lastBehind && isStalled(state.clock, lastBehind, answer.clock)))',
    'isFirst',
  ),
  mutant(
    'never pulls again after a pull has failed',
    'src/replication/engine/replica.ts',
    "if (to !== 'push' && state.pullingFrom === from) state.pullingFrom = undefined;",
    '',
  ),
  mutant('waits for a lost pull as long as the transport does', COMPARE, '> PULL_COMPARISONS_MAX', '> Infinity'),
  mutant(
    'counts one peer twice as an acknowledgement',
    'src/replication/engine/acknowledgements.ts',
    'waiter.heardFrom.add(peer)',
    'waiter.heardFrom.add(`${peer}${waiter.heardFrom.size}`)',
  ),
  mutant(
    'keeps old containers in the cache',
    STORE,
    'this.remember(key, container);',
    'if (!this.cache.has(key)) this.remember(key, container);',
  ),
  mutant(
    'serves a session too early',
    DRIVER,
    'if (descends(this.store.view.clock, session)) return true;',
    'if (descends(this.replica.clock, session)) return true;',
  ),
  mutant(
    'serves a session that has timed out',
    'src/replication/session-waiters.ts',
    'timeoutMs, () => settle(false)',
    'timeoutMs, () => settle(true)',
  ),
  mutant('forgets the hybrid clock at a restart', 'src/replication/engine/state.ts', 'stamp: loaded.stamp', 'stamp: 0'),
  mutant(
    'takes a damaged record for absent',
    'src/store/committed-view.ts',
    'return record === undefined ? [] : this.decode(decodeVersions, recordKey, record);',
    `try {
      return record === undefined ? [] : this.decode(decodeVersions, recordKey, record);
    } catch {
      return [];
    }`,
  ),
  mutant(
    'stores a repair before the answers cover what was known',
    REPAIR,
    'if (damage.missing === 0) store(',
    'if (damage.missing >= 0) store(',
  ),
  mutant(
    'repairs from a peer that knows less as if it were whole',
    REPAIR,
    'const remote = fill(container, batch.clock);',
    'const remote = fill(container, damage.known);',
  ),
  {
    name: 'gives up what is missing when one member has answered, and once',
    patches: [
      { file: REPAIR, find: 'return [...peers.keys()].every(', replace: 'return [...peers.keys()].some(' },
      { file: REPAIR, find: 'FRUITLESS_ANSWERS_MIN = 10', replace: 'FRUITLESS_ANSWERS_MIN = 1' },
    ],
  },
  {
    name: 'asks for a damaged record only once',
    patches: [{ file: REPAIR, find: '  askForRepairs(state, effects);\n  countAsked', replace: '  countAsked' }],
  },
  {
    name: 'compares states of replicas that do not know the same',
    patches: [
      {
        file: 'src/replication/engine/suspects.ts',
        find: 'if (!equalVectors(known, join(batch.clock, remote.context))) return;',
        replace: '',
      },
      {
        file: 'src/replication/message-reader.ts',
        find: 'if (!equalVectors(view.clock, clock)) return nothing;',
        replace: '',
      },
    ],
  },
  mutant(
    'never compares what it has with its peers',
    'src/replication/scrubber.ts',
    'const peer = peers[this.asked++ % peers.length];',
    'const peer = peers[-1];',
  ),
];
