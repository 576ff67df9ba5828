// Were all promises kept? Every answer of a run, and the state that the replicas came to, against the oracle.
//
// An answer's context says which writes of the key its replica knows, or, where the author of a write has not seen all that
// lives, what that has seen. From that follows exactly which versions it must
// show: those that no known write has replaced. What a replica knows never shrinks while it has its disk. In the end an
// acknowledged write is unknown only when its coordinator's disk was destroyed, and so were at least as many disks of
// others as had acknowledged it: which of them did is not told, so with that many gone the outcome is open.

import type { WriteSet } from '../simulation/oracle.js';
import type { History, Read, Write } from './history.js';
import { Ledger, type Finding } from './ledger.js';
import { seenIn } from './token.js';

/** What one answer shows. */
interface Observation {
  readonly event: Read | Write;
  readonly known: WriteSet;
  /** As far as its replica has said it of itself: an author's one write more may be known to the author alone. */
  readonly held: WriteSet;
}

export function judge(history: History): readonly Finding[] {
  const ledger = new Ledger(history);
  const observed = new Map<string, Observation[]>();
  for (const event of [...history.events, ...history.finalReads]) {
    const token = event.kind === 'read' ? event.token : event.told;
    if (token === undefined) continue;
    const seen = seenIn(token);
    const held = ledger.covered(event.key, { ...seen, dot: undefined });
    const observation = { event, known: ledger.covered(event.key, seen), held };
    const list = observed.get(event.key) ?? [];
    list.push(observation);
    observed.set(event.key, list);
  }
  for (const [key, observations] of observed) {
    for (const observation of observations) checkAnswer(ledger, observation);
    checkMemory(
      ledger,
      key,
      observations.filter(({ event }) => tellsAll(event)),
    );
  }
  checkEnd(ledger, history);
  return ledger.findings;
}

/** Who wrote with a context, past siblings that it has not, is told what it has seen, and not what its replica knows. */
function tellsAll(event: Read | Write): boolean {
  if (event.kind === 'read' || event.context === undefined) return true;
  return event.siblings !== undefined && event.siblings <= (event.value === undefined ? 0 : 1);
}

function checkAnswer(ledger: Ledger, { event, known }: Observation): void {
  const { key } = event;
  const where = `${event.replica} (disk ${event.disk}), asked by ${event.client},`;
  let future = 0n;
  for (const { write, entry } of ledger.placedOf(key)) if (write.beganAtMs > event.endedAtMs) future |= entry.bit;
  if ((known & future) !== 0n) {
    ledger.find('future', key, `${where} claims to know ${ledger.names(key, known & future)}, not yet written`);
  }
  const { least, most } = ledger.visible(key, known, event.endedAtMs);
  if (event.kind === 'read') return checkRead(ledger, event, known, { least, most }, where);

  const own = ledger.placedOf(key).find(({ write }) => write === event);
  if (own === undefined) return;
  const claimed = own.entry.bit | own.entry.seen;
  if ((claimed & ~known) !== 0n) {
    const missing = ledger.names(key, claimed & ~known);
    ledger.find('answer', key, `${where} answers ${ledger.dotOf(event)} with a context that lacks ${missing}`);
  }
  const openMax = ledger.openOf(key).filter(({ write }) => write.value !== undefined).length;
  if (!tellsAll(event)) {
    // What its replica knew to be replaced may be covered without having been seen.
    const unseen = least & ~claimed & ~ledger.replaced(key);
    if (unseen === 0n) return;
    const names = ledger.names(key, unseen);
    return ledger.find('answer', key, `${where} answers ${ledger.dotOf(event)} as if its author had seen ${names}`);
  }
  const isRight =
    event.siblings === undefined || (event.siblings >= sizeOf(least) && event.siblings <= sizeOf(most) + openMax);
  if (isRight) return;
  const right = `${ledger.names(key, least)} to ${ledger.names(key, most)}`;
  ledger.find(
    'answer',
    key,
    `${where} answers ${ledger.dotOf(event)} with ${event.siblings} siblings; it has ${right}`,
  );
}

function checkRead(
  ledger: Ledger,
  read: Read,
  known: WriteSet,
  { least, most }: { readonly least: WriteSet; readonly most: WriteSet },
  where: string,
): void {
  const { key } = read;
  const shown = ledger.setOf(key, read.siblings);
  const complaints: readonly [string, WriteSet, string][] = [
    ['lost write', least & ~shown, 'knows, and does not show,'],
    ['context', shown & ~known, 'shows what its context does not cover:'],
    ['replaced value', shown & known & ~most, 'shows what it knows to be replaced:'],
    ['session', missingOfSession(ledger, read) & ~known, 'answers a session that has seen more:'],
  ];
  for (const [invariant, set, what] of complaints) {
    if (set !== 0n) ledger.find(invariant, key, `${where} ${what} ${ledger.names(key, set)}`);
  }
  const [first, ...others] = read.siblings.map(({ value }) => Buffer.from(value));
  if (others.some((value) => Buffer.compare(value, first!) > 0)) {
    ledger.find('winner', key, `${where} lets ${first!.toString()} win over a greater value`);
  }
}

function missingOfSession(ledger: Ledger, { key, session }: Read): WriteSet {
  return session === undefined ? 0n : ledger.covered(key, seenIn(session));
}

/** What was known at one disk is known there ever after: read your own writes, through kill -9 and restarts. */
function checkMemory(ledger: Ledger, key: string, observations: readonly Observation[]): void {
  const byDisk = new Map<string, Observation[]>();
  for (const observation of observations) {
    const name = `${observation.event.replica} (disk ${observation.event.disk})`;
    byDisk.set(name, [...(byDisk.get(name) ?? []), observation]);
  }
  for (const [name, list] of byDisk) {
    const ended = list.toSorted((a, b) => a.event.endedAtMs - b.event.endedAtMs);
    let known = 0n;
    let place = 0;
    for (const later of list.toSorted((a, b) => a.event.beganAtMs - b.event.beganAtMs)) {
      while (place < ended.length && ended[place]!.event.endedAtMs < later.event.beganAtMs) {
        known |= ended[place++]!.held;
      }
      const forgotten = known & ~later.known;
      if (forgotten === 0n) continue;
      const atMs = Math.round(later.event.beganAtMs);
      ledger.find('memory', key, `${name} at ${atMs} ms has forgotten ${ledger.names(key, forgotten)}`);
      break;
    }
  }
}

function checkEnd(ledger: Ledger, { events, finalReads, destructions }: History): void {
  const finals = new Map<string, Read[]>();
  for (const read of finalReads) finals.set(read.key, [...(finals.get(read.key) ?? []), read]);
  for (const [key, reads] of finals) {
    const states = reads.map(({ replica, siblings, token }) => {
      const known = ledger.names(key, ledger.covered(key, seenIn(token)));
      return { replica, state: `${JSON.stringify(siblings)} knowing ${known}` };
    });
    if (new Set(states.map(({ state }) => state)).size <= 1) continue;
    const shown = states.map(({ replica, state }) => `${replica} ${state}`).join('; ');
    ledger.find('convergence', key, `the replicas end with ${shown}`);
  }
  for (const key of new Set(events.map((event) => event.key))) {
    const read = finals.get(key)?.[0];
    if (read === undefined) {
      ledger.find('convergence', key, 'the key was not read at the end');
      continue;
    }
    const known = ledger.covered(key, seenIn(read.token));
    for (const { write, entry } of ledger.placedOf(key)) {
      if (write.outcome !== 'acknowledged' || (known & entry.bit) !== 0n) continue;
      const since = destructions.filter(({ atMs }) => atMs >= write.beganAtMs).map(({ replica }) => replica);
      const lost = new Set(since);
      if (lost.has(write.replica) && lost.size >= write.acks) continue;
      const gone = lost.size === 0 ? 'no disk was lost since' : `lost since: ${[...lost].join(', ')}`;
      const what = `${ledger.dotOf(write)}, acknowledged by ${write.acks} at ${write.replica}, is nowhere; ${gone}`;
      ledger.find('durability', key, what);
    }
  }
}

function sizeOf(set: WriteSet): number {
  let size = 0;
  for (let left = set; left !== 0n; left &= left - 1n) size++;
  return size;
}
