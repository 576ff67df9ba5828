// Does a node show exactly what the oracle says it must?

import type { ReplicaDriver } from '../../src/replication/replica-driver.js';
import { CorruptRecordError } from '../../src/store/record-codec.js';
import type { Known, Mind } from './mind.js';
import { NOTHING, type Knowledge, type Oracle, type WriteSet } from './oracle.js';
import { isSameMap, textOf, vectorText, type ContainerLike, type VersionLike } from './shapes.js';
import { Violation } from './violation.js';

/** What readers see of these keys, and the clock, after an event. */
export function checkShown(
  name: string,
  driver: ReplicaDriver,
  mind: Mind,
  keys: readonly string[],
  oracle: Oracle,
  isRotten: (key: string) => boolean,
  wallMs: number,
): void {
  const { visible } = mind;
  checkClock(name, driver.view.clock, visible);
  for (const key of keys) {
    const shown = readOrDamage(driver, key);
    if (shown !== undefined) {
      checkContainer(oracle, `${name} shows`, key, shown, visible.keys.get(key) ?? NOTHING, wallMs);
    } else if (!isRotten(key))
      throw new Violation('visible versions', `${name} can't read ${key}, which is not damaged`);
  }
}

/** Undefined when the record is damaged: nothing is shown then. */
export function readOrDamage(driver: ReplicaDriver, key: string): ContainerLike | undefined {
  try {
    return driver.read(key);
  } catch (error) {
    if (error instanceof CorruptRecordError) return undefined;
    throw error;
  }
}

function checkClock(name: string, clock: ReadonlyMap<string, number>, { counters }: Known): void {
  if (isSameMap(clock, counters)) return;
  throw new Violation('node clock', `${name} has committed ${vectorText(clock)} and must have ${vectorText(counters)}`);
}

/**
 * A filled container: the versions alive, and a context that covers exactly what is known of the key.
 * @param wallMs what has passed its deadline by then is hidden; left out: nothing is
 */
export function checkContainer(
  oracle: Oracle,
  where: string,
  key: string,
  { versions, context }: ContainerLike,
  knowledge: Knowledge,
  wallMs = -Infinity,
): void {
  const shown = setOf(oracle, where, key, versions);
  const expected = oracle.shownSet(key, knowledge, wallMs);
  if (shown !== expected) {
    const lists = `[${oracle.names(key, shown).join(' ')}], and must be [${oracle.names(key, expected).join(' ')}]`;
    throw new Violation('visible versions', `${where} ${key} as ${lists}`);
  }
  checkSum(oracle, where, key, versions, shown);
  const covered = oracle.covered(key, context);
  if (covered !== knowledge.known) {
    const excess = oracle.names(key, covered & ~knowledge.known).join(' ');
    const missing = oracle.names(key, knowledge.known & ~covered).join(' ');
    throw new Violation('context', `${where} ${key} with a context that covers [${excess}] and lacks [${missing}]`);
  }
}

/** What a counter adds up to is what has been added, each addition once. */
function checkSum(oracle: Oracle, where: string, key: string, versions: readonly VersionLike[], shown: WriteSet): void {
  if (oracle.isInexact(key) || !versions.some(({ type }) => type === 'counter')) return;
  const sum = versions.reduce((all, { type, value }) => (type === 'counter' ? all + BigInt(textOf(value)) : all), 0n);
  const expected = oracle.added(key, shown);
  if (sum !== expected) throw new Violation('counter', `${where} ${key} as ${sum}, and ${expected} has been added`);
}

/** The set of the versions; each must be one that somebody wrote under its dot, with the same value and stamp as ever. */
export function setOf(oracle: Oracle, where: string, key: string, versions: readonly VersionLike[]): WriteSet {
  let set = 0n;
  for (const { actor, counter, stamp, type, part, value, deadlineMs } of versions) {
    const write = oracle.write(actor, counter);
    const named = (): string => `${where} ${key} with ${actor}:${counter}`;
    if (write === undefined) throw new Violation('dot uniqueness', `${named()}: nobody wrote it`);
    const { version } = write;
    const isAsWritten =
      write.key === key &&
      (write.bytes === value || version?.value === textOf(value)) &&
      version?.type === type &&
      version.part === part &&
      version.deadlineMs === deadlineMs;
    if (!isAsWritten) {
      const was = version && `${version.type} ${version.part} ${version.value} until ${version.deadlineMs}`;
      const told = `as ${type} ${part} ${textOf(value)} until ${deadlineMs}, written as ${was} of ${write.key}`;
      throw new Violation('dot uniqueness', `${named()} ${told}`);
    }
    if (write.stamp !== stamp) oracle.noteStamp(write, stamp);
    write.bytes = value;
    if ((set & write.bit) !== 0n) throw new Violation('dot uniqueness', `${named()} twice`);
    set |= write.bit;
  }
  return set;
}
