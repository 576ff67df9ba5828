// Would the simulation notice? Each mutant is a deliberate bug, put into a copy of production code by a change of its text.
// A simulation that lets one live proves less than it seems to.

import type { Patch } from './mutate.js';

export interface Mutant {
  readonly name: string;
  readonly patches: readonly Patch[];
  /** Seeds to try; rare interleavings need more. */
  readonly seeds?: number;
  /** Needs runs in which all that clients can do is done. */
  readonly hasAll?: boolean;
}

const DRIVER = 'src/replication/replica-driver.ts';
const LOOP = 'src/replication/commit-loop.ts';
const EXCHANGES = 'src/replication/exchanges.ts';
const TO_COME = 'src/replication/pieces-to-come.ts';
const AHEAD = 'src/replication/pieces-ahead.ts';
const READER = 'src/replication/message-reader.ts';
const REPLICA = 'src/replication/engine/replica.ts';
const FAILURE = 'src/replication/engine/peer-failure.ts';
const INCARNATION = 'src/replication/engine/incarnation.ts';
const STATE = 'src/replication/engine/state.ts';
const APPLY = 'src/replication/engine/apply.ts';
const BOOTSTRAP = 'src/replication/engine/bootstrap.ts';
const TRIM = 'src/replication/engine/trim.ts';
const WRITE = 'src/replication/engine/write.ts';
const OPERATION = 'src/replication/engine/operation.ts';
const LIFETIME = 'src/clock/lifetime.ts';
const EXPIRY = 'src/replication/expiry.ts';
const COMPARE = 'src/replication/engine/compare.ts';
const CLAIMS = 'src/clock/claims.ts';
const CONTAINER = 'src/clock/container.ts';
const STORE = 'src/store/replica-store.ts';
const CACHE = 'src/store/container-cache.ts';
const VIEW = 'src/store/committed-view.ts';
const UNSENT = 'src/replication/unsent.ts';
const REPAIR = 'src/replication/engine/repair.ts';
const CHANGES = 'src/replication/change-reader.ts';
const STRETCHES = 'src/replication/stretches.ts';
const FEED = 'src/replication/change-feed.ts';
const RETENTION = 'src/replication/engine/retention.ts';
const TOKENS = 'src/controllers/http/tokens.ts';
const BATCHES = 'src/replication/batches.ts';
const PAST = 'src/replication/engine/past.ts';
const SEAL = 'src/replication/engine/seal.ts';
const GROUP = 'src/replication/group.ts';
const REQUESTS = 'src/replication/engine/requests.ts';
const REQUEST = 'src/clock/request.ts';
const QUORUM = 'src/replication/engine/quorum-reads.ts';

function mutant(name: string, file: string, find: string, replace: string): Mutant {
  return { name, patches: [{ file, find, replace }] };
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'answers and sends before the commit',
    patches: [
      {
        file: LOOP,
        find: 'this.steps.committing = group;',
        replace: 'this.steps.committing = group; this.release(group);',
      },
      { file: LOOP, find: 'this.flush();\n    this.release(group);', replace: 'this.flush();' },
    ],
  },
  mutant(
    'acknowledges a push before it has committed it',
    LOOP,
    'this.steps.committing = group;',
    `this.steps.committing = group;
     for (const { reply, waiter } of group.answers) if (reply.kind === 'clock') waiter.resolve(reply);`,
  ),
  mutant(
    'reuses dots after a crash: the clock on disk is that of the commit before',
    STORE,
    'value: encodeNode(NODE_KEY, commit.node, number)',
    'value: encodeNode(NODE_KEY, { ...commit.node, clock: this.latest.clock }, number)',
  ),
  mutant(
    'commits containers and clock one after the other',
    STORE,
    'await this.store.commit(changes);',
    `const place = changes.findIndex(({ key }) => key === NODE_KEY);
     await this.store.commit(changes.slice(0, place));
     await this.store.commit(changes.slice(place));`,
  ),
  mutant('fills the local side after adding the ranges', APPLY, 'join(before, claim)', 'join(after, claim)'),
  mutant(
    'fills the remote side with the local clock',
    APPLY,
    'fill(remote, clockOf(batch, key))',
    'fill(remote, before)',
  ),
  mutant(
    "advances by the batch's clock",
    APPLY,
    'state.clock = after;',
    'state.clock = new Map([...after, ...[...batch.clock].filter(([actor, n]) => n > counterOf(after, actor))]);',
  ),
  mutant(
    'takes all keys of a batch for exact, though dots of theirs are still to come',
    UNSENT,
    'return !this.counts.has(keyHash(key));',
    'return key.length > 0;',
  ),
  mutant(
    'counts a key once, however many of its dots a peer lacks',
    UNSENT,
    'const count = (this.counts.get(hash) ?? 0) + by;',
    'const count = Math.max(0, by);',
  ),
  mutant(
    'does not begin to count anew when a peer knows less than it was sent',
    UNSENT,
    'const goesOn = descends(has, this.sent) && ',
    'const goesOn = ',
  ),
  mutant('takes a range that leaves a gap', APPLY, 'if (gap !== undefined) {', 'if (gap === null) {'),
  mutant('does not log received dots', APPLY, 'effects.logRequest({ actor: range.actor, counter },', 'void (range,'),
  mutant('does not log deletes', WRITE, 'effects.logRequest(', 'if (versions.length > 0) effects.logRequest('),
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
  {
    name: 'forgets at a restart which keys are ahead',
    patches: [{ file: STATE, find: 'ahead: new Map(loaded.ahead)', replace: 'ahead: new Map()' }],
    seeds: 6000,
  },
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
    'live(fill(stored, this.store.view.knownOf(key)), this.nowMs)',
    'live(fill(fill(stored, this.store.view.knownOf(key)), this.replica.clock), this.nowMs)',
  ),
  mutant(
    'reads uncommitted containers',
    DRIVER,
    'stored = this.store.container(key)',
    'stored = this.loop.steps.container(key)',
  ),
  mutant(
    "sends a batch with another commit's clock",
    EXCHANGES,
    'const request = await this.shell.withView((view) => this.reader.request(view, send));',
    `const read = await this.shell.withView((view) => this.reader.request(view, send));
     const clock = await this.shell.withView(async (view) => view.clock);
     const request = read.kind === 'push' ? { ...read, batch: { ...read.batch, clock } } : read;`,
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
    'const context = join(left.context, right.context);',
    'const context = left.context;',
  ),
  mutant(
    "forgets the author's context in a write",
    CONTAINER,
    'advance(join(container.context, seen.vector), last)',
    'advance(container.context, last)',
  ),
  mutant(
    'replaces what the author has not seen',
    WRITE,
    'input.context ?? { vector: before.context, dot: undefined }',
    '{ vector: before.context, dot: undefined }',
  ),
  mutant(
    'tells the author of a write that all was seen that the replica has',
    WRITE,
    'input.context && seenAfter(input.context, dot, before.versions, { context: after.context, past })',
    'undefined',
  ),
  mutant(
    'takes the write of an author for all that its actor has written before',
    'src/clock/dotted-vector.ts',
    'if (unseen.some((dot) => covers(withOwn, dot))) return { vector, dot: own, past };',
    '',
  ),
  mutant(
    'marks as past the dot that an author has seen besides, with those before it',
    CONTAINER,
    'join(container.context, seen.vector)',
    'join(container.context, seen.dot ? advance(seen.vector, seen.dot) : seen.vector)',
  ),
  mutant(
    'keeps what a write without context replaces',
    WRITE,
    'input.context ?? { vector: before.context, dot: undefined }',
    'input.context ?? { vector: new Map(), dot: undefined }',
  ),
  mutant('never pulls what an origin has stopped to push', COMPARE, 'mayAsk && stalled.size > 0', 'false'),
  mutant(
    'never pulls again after a pull has failed',
    FAILURE,
    "if (to !== 'push' && state.pullingFrom === from) state.pullingFrom = undefined;",
    '',
  ),
  mutant('waits for a lost pull as long as the transport does', COMPARE, '> PULL_COMPARISONS_MAX', '> Infinity'),
  mutant(
    'counts one peer twice as an acknowledgement',
    'src/replication/engine/acknowledgements.ts',
    'if (!heardFrom.includes(peer)) heardFrom.push(peer);',
    'heardFrom.push(peer);',
  ),
  mutant(
    'keeps old containers in the cache',
    STORE,
    'if (!isBulk || this.cache.has(key)) this.cache.set(',
    'if (!this.cache.has(key)) this.cache.set(',
  ),
  mutant(
    'takes over what it knows to be replaced, where it has nothing of the key',
    CONTAINER,
    'const versions = unseen(remote.versions, known);',
    'const versions = remote.versions;',
  ),
  mutant(
    'shows an old view what the cache has learnt since',
    CACHE,
    'return cached.commit > commit ? undefined : cached.container;',
    'return cached.container;',
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
  mutant('forgets the hybrid clock at a restart', STATE, 'stamp: loaded.stamp', 'stamp: 0'),
  mutant('never looks over keys ahead while nothing comes', REPLICA, 'sweepAhead(state, SWEPT_PER_TICK, effects);', ''),

  // Taking over all keys.
  mutant(
    'takes over the keys that the peer has and leaves the others',
    BOOTSTRAP,
    'for (const [key, local] of locals) if (!containers.has(key)) merge(key, local, EMPTY_CONTAINER);',
    '',
  ),
  mutant(
    'forgets what was stored while it waited for a piece',
    BOOTSTRAP,
    'for (const key of touched) locals.set(key, stored.container(key));',
    '',
  ),
  mutant(
    'takes a piece to its end though there were too many local keys to look up',
    BOOTSTRAP,
    'const { through } = local;',
    'const { through } = piece.span;',
  ),
  mutant('takes all that is stored here for a part of the piece', BOOTSTRAP, 'if (!isWithin(span, key)) return;', ''),
  mutant(
    'takes the last key of a piece for the first one of the next',
    CLAIMS,
    'compareKeys(after, key) < 0',
    'compareKeys(after, key) <= 0',
  ),
  mutant(
    'fills the local side of a piece after it has raised the claims',
    BOOTSTRAP,
    'fill(local, known)',
    'fill(local, knownAfter(key))',
  ),
  mutant(
    'strips the keys of a piece of what is claimed of any key',
    BOOTSTRAP,
    'knownIn(state.clock, after)',
    '() => after.reduce((all, claim) => join(all, claim.clock), state.clock)',
  ),
  mutant(
    'takes over the clock with the first piece',
    BOOTSTRAP,
    'effects.setClaims(state, after);\n}',
    'state.clock = join(state.clock, clock);\n  effects.setClaims(state, after);\n}',
  ),
  mutant(
    'takes over what is claimed of any key, not of all',
    BOOTSTRAP,
    'claimedByAll(state.claims, undefined)',
    'state.claims.reduce((all, claim) => join(all, claim.clock), EMPTY_VECTOR)',
  ),
  mutant('does not raise the floor when it has all keys', BOOTSTRAP, 'state.floor = floor;', ''),
  mutant(
    'takes the piece that came for the one it asks for',
    TO_COME,
    'const isFirst = first?.to === to && first.after === after;',
    'const isFirst = first !== undefined;',
  ),
  mutant(
    'sends the piece that it has read ahead, whatever is asked for',
    AHEAD,
    'ahead?.after === after ?',
    'ahead !== undefined ?',
  ),
  {
    // Either of the two would do, sooner or later.
    name: 'never asks again for a piece after a request for it has failed',
    patches: [
      {
        file: FAILURE,
        find: "if (to === 'pull-keys' || peer.failedComparisons >= SILENT_COMPARISONS_MIN) interruptBootstrap(state, from);",
        replace: '',
      },
      { file: BOOTSTRAP, find: 'comparisons <= bootstrap.patience', replace: 'comparisons <= Infinity' },
    ],
  },
  {
    name: 'waits for a lost piece as long as the transport does',
    patches: [{ file: BOOTSTRAP, find: 'comparisons <= bootstrap.patience', replace: 'comparisons <= Infinity' }],
    seeds: 4000,
  },
  mutant(
    'sends a piece beyond the keys of which the same is known',
    READER,
    'span = { after, through: claim?.through }',
    'span = { after, through: undefined as string | undefined }',
  ),
  mutant(
    'sends a piece with the node clock alone, and the rest of what it knows not at all',
    READER,
    'join(view.clock, claim?.clock ?? EMPTY_VECTOR)',
    'view.clock',
  ),
  mutant(
    'leaves deleted keys that are ahead out of a piece',
    VIEW,
    'yield pairs.map(',
    'yield pairs.filter(({ left }) => left !== undefined).map(',
  ),

  // What is claimed of ranges of keys.
  mutant(
    'claims of a range less than its last key',
    CLAIMS,
    'compareKeys(through, key) < 0',
    'compareKeys(through, key) <= 0',
  ),
  mutant(
    'joins ranges of which different things are claimed',
    CLAIMS,
    'equalVectors(previous.clock, claim.clock)',
    'previous.clock.size === claim.clock.size',
  ),
  mutant('merges a batch without what is claimed of its keys', APPLY, 'join(before, claim)', 'before'),
  mutant(
    'strips merged keys of what is claimed of others',
    APPLY,
    'join(after, claim))',
    'state.claims.reduce((all, other) => join(all, other.clock), after))',
  ),
  mutant(
    'writes without what is claimed of the key',
    WRITE,
    'fill(stored.container(input.key), knownOf(state, input.key))',
    'fill(stored.container(input.key), state.clock)',
  ),
  mutant(
    'fills a read with the clock but not with claims',
    DRIVER,
    'this.store.view.knownOf(key)',
    'this.store.view.clock',
  ),
  mutant(
    'sends containers without what is claimed of them',
    VIEW,
    'return this.beyondClock(key, this.stored(key));',
    'return this.stored(key);',
  ),
  mutant(
    'lists containers without what is claimed of them',
    VIEW,
    'yield { key, container: this.beyondClock(key, stored) };',
    'yield { key, container: stored };',
  ),
  mutant(
    'puts on disk how far it has come, but not what it claims',
    STORE,
    'if (commit.claims !== undefined) changes.push(claimsChange(commit.claims));',
    '',
  ),
  mutant('forgets at a restart what it claims', STATE, 'claims: loaded.claims,', 'claims: [],'),
  mutant(
    'forgets the claims of an earlier step of the same commit',
    'src/replication/group.ts',
    'writes.claims ?? this.claims',
    'writes.claims',
  ),
  mutant('keeps claims that the clock has caught up with', REPLICA, 'settleClaims(state, effects);', ''),
  mutant(
    'keeps an empty record of claims',
    STORE,
    "if (claims.length === 0) return { type: 'del', key: CLAIMS_KEY };",
    '',
  ),

  // Trimming, and what a store removes.
  mutant(
    'trims by what one member has',
    TRIM,
    'const stable = holding.reduce(meet, state.clock);',
    'const stable = holding.slice(-1).reduce(meet, state.clock);',
  ),
  mutant(
    'trims without regard to members that have not been heard',
    TRIM,
    'if (peer.clock === undefined || !peer.hasAnswered) return state.floor;',
    'if (peer.clock === undefined || !peer.hasAnswered) return state.clock;',
  ),
  mutant('never trims its log', TRIM, 'if (dots === 0) return;', 'if (dots >= 0) return;'),
  mutant('forgets the floor at a restart', STATE, 'floor: loaded.floor', 'floor: EMPTY_VECTOR'),
  mutant(
    'sends what it has left to a peer below the floor',
    READER,
    "if (!descends(since, node.floor)) return { kind: 'below-floor', clock, floor: node.floor };",
    'since = join(since, node.floor);',
  ),
  mutant(
    'reads below the floor for a pull',
    READER,
    "if (!descends(since, node.floor)) return { kind: 'below-floor', clock, floor: node.floor };",
    '',
  ),
  {
    name: 'pushes below the floor',
    patches: [
      {
        file: 'src/replication/engine/push.ts',
        find: 'if (known < counterOf(state.floor, state.actor)) return undefined;',
        replace: '',
      },
      {
        file: READER,
        find: 'counterOf(send.since, send.actor) < counterOf(view.node.floor, send.actor)',
        replace: 'false',
      },
    ],
  },
  mutant(
    'removes log entries before the floor is on disk',
    STORE,
    'await this.store.commit(changes);',
    'this.clearLog(this.latest.node.floor, commit.node.floor); await this.store.commit(changes);',
  ),
  mutant(
    'removes one log entry too many',
    STORE,
    'logEndingIn({ actor, from: after, to: counter })',
    'logEndingIn({ actor, from: after, to: counter + 1 })',
  ),
  mutant(
    'removes one log entry too few',
    STORE,
    'logEndingIn({ actor, from: after, to: counter })',
    'logEndingIn({ actor, from: after, to: counter - 1 })',
  ),
  mutant(
    'forgets which entries below the floor were left at the last stop',
    STORE,
    'replica.clearLog(unlogged, node.floor);',
    '',
  ),
  mutant(
    'removes the oldest mark of a commit with those before it',
    STORE,
    'lt: markKey(firstMark)',
    'lt: markKey(firstMark + 1)',
  ),

  // An old copy of a disk.
  mutant('takes writes before its peers have answered', STATE, 'if (!peer.hasBeenTried) return false;', 'void peer;'),
  mutant(
    'goes on as the same actor though a peer knows more of it',
    INCARNATION,
    'counterOf(clock, state.actor) <= counterOf(state.clock, state.actor)',
    'counterOf(clock, state.actor) <= Infinity',
  ),

  // Damaged and lost records.
  mutant(
    'takes a damaged record for absent',
    'src/store/committed-view.ts',
    'return record === undefined ? [] : this.records.decode(decodeVersions, recordKey, record);',
    `try {
      return record === undefined ? [] : this.records.decode(decodeVersions, recordKey, record);
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
      { file: REPAIR, find: 'return [...peers.values()].every(', replace: 'return [...peers.values()].some(' },
      { file: REPAIR, find: 'FRUITLESS_ANSWERS_MIN = 10', replace: 'FRUITLESS_ANSWERS_MIN = 1' },
    ],
  },
  mutant(
    "takes the cache's word for it that a record is whole",
    'src/replication/damage-watch.ts',
    'readable(() => store.view.onDisk(key))',
    'readable(() => store.view.stored(key))',
  ),
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
    'return peers[this.asked++ % peers.length];',
    'return peers[-1];',
  ),

  // Sessions.
  mutant(
    'gives a session a token that forgets what was read since the last one',
    TOKENS,
    'if (this.known?.vector === vector) return this.known;',
    'if (this.known !== undefined) return this.known;',
  ),
  mutant(
    'gives a session a token that forgets one of the actors whose writes were read',
    TOKENS,
    'session(vector: VersionVector): string {\n    const known = this.of(vector);',
    'session(vector: VersionVector): string {\n    const known = this.of(new Map([...vector].slice(0, -1)));',
  ),
  mutant(
    'serves a session that waits as soon as anything has come',
    'src/replication/session-waiters.ts',
    'if (descends(clock, waiter.session)) waiter',
    'if (clock.size > 0) waiter',
  ),

  // What versions may depend on.
  {
    ...mutant(
      'forgets what exact containers may depend on',
      PAST,
      'if (exact === undefined || exact.keys.size === 0) return past;',
      'if (past.size >= 0) return past;',
    ),
    hasAll: true,
    seeds: 8000,
  },
  {
    ...mutant(
      'gives a session what the context covers, and not what versions may depend on',
      DRIVER,
      'return join(this.store.view.seen(context), past);',
      'return join(join(context, this.store.view.clock), past);',
    ),
    hasAll: true,
    seeds: 8000,
  },

  // Batches.
  mutant(
    'commits the operations of a batch as they come',
    LOOP,
    'this.flushSoon();\n    return output',
    'this.flush();\n    return output',
  ),
  mutant(
    'waits for acknowledgements of the first write of a batch',
    BATCHES,
    'new Map(results.map(',
    'new Map([...results].reverse().map(',
  ),
  mutant(
    'says that a batch is acknowledged as it was asked to be',
    BATCHES,
    'return reply.acks;',
    'return acksNeeded;',
  ),
  mutant(
    'ends a batch at an operation that is refused',
    BATCHES,
    "if (!(error instanceof CorruptRecordError)) throw error;\n    return { kind: 'damaged'",
    "throw error;\n    return { kind: 'damaged'",
  ),

  // Requests that come again.
  mutant(
    'carries out a request that comes again when it has to wait for others',
    WRITE,
    'answerAgain(input, before, state, stored) ?? attempt(',
    '(input.acksNeeded > 1 ? undefined : answerAgain(input, before, state, stored)) ?? attempt(',
  ),
  mutant(
    'does not see a request that is on its way to the disk',
    GROUP,
    'this.requests.size === 0 ? undefined : this.requests.get(textOf(place))',
    'undefined',
  ),
  mutant(
    'keeps no request on disk',
    STORE,
    'for (const change of commit.requests ?? []) changes',
    'for (const change of [] as RequestChange[]) changes',
  ),
  mutant('does not hear which requests wrote what others send', APPLY, 'range.requests?.get(counter)', 'undefined'),
  mutant(
    'takes over keys without the requests that wrote them',
    BOOTSTRAP,
    'piece.requests.filter(({ key }) => isWithin(taken.span, key))',
    '[]',
  ),
  mutant(
    'answers a request that demands something else as it did the first',
    REQUESTS,
    'if (kept.fingerprint !== requestName.fingerprint)',
    "if (kept.fingerprint === '')",
  ),
  mutant(
    'answers a request again with its first dot',
    REQUEST,
    'counter: first.counter + dots - 1',
    'counter: first.counter + 0 * dots',
  ),

  // Reads of several replicas.
  mutant(
    'answers a read from one replica too few',
    QUORUM,
    'if (1 + answers.size < answersNeeded) return;',
    'if (2 + answers.size < answersNeeded) return;',
  ),
  mutant(
    'counts this replica twice among those that have answered a read',
    QUORUM,
    'answers.set(peer.name, remote.versions);',
    "answers.set(peer.name, remote.versions).set('this one', remote.versions);",
  ),
  mutant(
    'takes the answer to one read for that to another',
    QUORUM,
    'const waiting = state.quorumReads.get(id);\n  if (waiting === undefined) return;\n  const { key, answers, asked',
    `const waiting = [...state.quorumReads.values()].findLast(({ key }) => batch.containers.has(key));
     if (waiting === undefined) return;
     const { key, answers, asked`,
  ),
  mutant(
    'takes over the versions of an answer and not its past',
    QUORUM,
    'sync(waiting.found, fill(remote, batch.clock))',
    'sync(waiting.found, remote)',
  ),
  mutant(
    'answers a read of several replicas with what this one has',
    QUORUM,
    'keep(sync(fill(local, knownOf(state, key)), waiting.found), wallMs)',
    'keep(fill(local, knownOf(state, key)), wallMs)',
  ),
  mutant(
    'does not store what a read has found',
    QUORUM,
    'effects.store(state, key, strip(merged, knownOf(state, key)), local.versions, wallMs);',
    '',
  ),
  mutant(
    'stores what a read has found without its past',
    QUORUM,
    'strip(merged, knownOf(state, key))',
    'strip(merged, merged.context)',
  ),
  mutant(
    'gives a dot to what a read has found',
    QUORUM,
    'let stale = isOwnStale ? 1 : 0;',
    `let stale = isOwnStale ? 1 : 0;
     if (isOwnStale) {
       state.clock = new Map(state.clock).set(state.actor, (state.clock.get(state.actor) ?? 0) + 1);
       effects.logDot(state.actor, state.clock.get(state.actor)!, key);
     }`,
  ),
  mutant(
    'leaves replicas as they are that a read has found to lack something',
    QUORUM,
    "effects.sends.push({ to: peer, kind: 'repair', key });",
    '',
  ),
  mutant(
    'moves a cursor to the end of a range though the answer was full before',
    STRETCHES,
    'clock: advance(clock, { actor, counter: from + count }),',
    'clock: advance(clock, { actor, counter: from + keys.length }),',
  ),
  mutant(
    'moves a cursor past the change for which there was no room',
    CHANGES,
    'if (!this.take(key)) return taken;',
    'if (!this.take(key)) return taken + 1;',
  ),
  mutant(
    'moves a cursor to the clock whatever was read',
    CHANGES,
    'cursor: { clock, ended }',
    'cursor: { clock: view.clock, ended }',
  ),
  mutant(
    'takes the cursor of a read from the newest view',
    FEED,
    'return await readChanges(view, cursor, filter);',
    `const changes = await readChanges(view, cursor, filter);
     return { ...changes, cursor: { ...changes.cursor, clock: this.driver.view.clock } };`,
  ),
  mutant(
    'tells states of a newer view than the cursor is of',
    FEED,
    'return await readChanges(view, cursor, filter);',
    `const newest = { container: (key: string) => this.driver.view.container(key) };
     return await readChanges(Object.assign(Object.create(view), newest), cursor, filter);`,
  ),
  mutant(
    'leaves deleted keys out of the changes',
    CHANGES,
    'changes: found.changes(limits.wallMs),',
    'changes: found.changes(limits.wallMs).filter(({ versions }) => versions.length > 0),',
  ),
  mutant(
    'reads changes below the floor',
    STRETCHES,
    'if (!descends(cursor.clock, view.node.floor)) throw new CursorExpiredError();',
    '',
  ),
  mutant(
    'tells again what a reader has been told',
    STRETCHES,
    'selectSpans(view.clock, cursor.clock,',
    'selectSpans(view.clock, view.node.floor,',
  ),
  mutant(
    'trims what members lack when readers need it no longer',
    RETENTION,
    'const expired = meet(unneeded, kept);',
    'const expired = kept;',
  ),
  mutant(
    'keeps log entries for readers for ever',
    RETENTION,
    'return tick - mark.tick >= retentionTicks;',
    'return tick < mark.tick;',
  ),

  // Types.
  mutant(
    'leaves the partial sum that an addition carries on',
    OPERATION,
    "parts: [partOf('counter', '', encodeSum(sum))], removes: false };",
    "parts: [partOf('counter', '', encodeSum(sum))], removes: false, ...{ replaces: () => false } };",
  ),
  mutant(
    'adds to a counter what others have added already',
    OPERATION,
    'sumOf(versions.filter(replaces))',
    'sumOf(versions)',
  ),
  mutant('takes the partial sums of others for its own', 'src/clock/counter.ts', ' && version.actor === actor', ''),
  mutant(
    'lets a removal win over an addition of the same element',
    OPERATION,
    `const parts = Array.from(add, (element) => partOf('set', element, NO_BYTES));
      return {
        replaces: setReplaces(new Set([...add, ...remove])),`,
    `const isThere = (element: string): boolean => versions.some(setReplaces(new Set([element])));
      const parts = [...add].filter((each) => !isThere(each)).map((element) => partOf('set', element, NO_BYTES));
      return {
        replaces: setReplaces(remove),`,
  ),
  mutant(
    'replaces the whole map when a field is put',
    OPERATION,
    'const replaces = mapReplaces(new Set([...set.keys(), ...remove]));',
    'const replaces = registerReplaces;',
  ),
  mutant(
    'removes an element without a dot',
    OPERATION,
    'removes: versions.some(setReplaces(remove))',
    'removes: false',
  ),
  mutant(
    'takes an operation of another type than the key has',
    WRITE,
    'if (type !== undefined && type !== typeOfOperation(operation))',
    'if (type === null)',
  ),
  mutant(
    'gives the key the weaker of two types that raced',
    'src/clock/key-type.ts',
    'VALUE_TYPES.indexOf(version.type) > VALUE_TYPES.indexOf(type)',
    'VALUE_TYPES.indexOf(version.type) < VALUE_TYPES.indexOf(type)',
  ),

  // Lifetimes.
  mutant(
    'hides what has ended a second late',
    LIFETIME,
    'return without(versions, wallMs);',
    'return without(versions, wallMs - 1000);',
  ),
  mutant(
    'drops what has ended without waiting for other clocks',
    LIFETIME,
    'return without(versions, wallMs - HIDDEN_MS);',
    'return without(versions, wallMs);',
  ),
  mutant(
    'checks a condition on what has ended too',
    WRITE,
    '!input.precondition(live)',
    '!input.precondition(before.versions)',
  ),
  mutant('stores what has ended long ago when a batch brings it', APPLY, 'keep(synced, wallMs)', 'synced'),
  mutant(
    'stores what has ended long ago when a piece brings it',
    BOOTSTRAP,
    'const left = keep(merged, wallMs);',
    'const left = merged;',
  ),
  mutant('never drops what has ended', EXPIRY, 'this.driver.expire(key, wallMs);', ''),
  mutant(
    'drops with what has ended what is known of the key',
    'src/replication/engine/expire.ts',
    'effects.store(state, key, left, container.versions, wallMs);',
    'effects.store(state, key, { ...left, context: new Map() }, container.versions, wallMs);',
  ),
  mutant(
    'writes no deadline to the index',
    STORE,
    'for (const { deadlineMs, key, isSet } of commit.deadlines ?? []) {',
    'for (const { deadlineMs, key, isSet } of [] as NonNullable<Commit["deadlines"]>) {',
  ),
  mutant(
    'waits for the first deadline that it has heard of, not the earliest',
    EXPIRY,
    'this.nextMs = Math.min(this.nextMs, deadlineMs);',
    'if (this.nextMs === Infinity) this.nextMs = deadlineMs;',
  ),
  mutant('tells of ended lifetimes for ever', EXPIRY, 'this.store.clearDeadlines(throughMs);', ''),

  // What died with a disk.
  mutant('is left alone with what died with a disk', SEAL, 'state.levels = levelsAlone(state);', ''),
];
