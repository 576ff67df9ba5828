// What goes wrong? Each kind of fault, from its beginning to its end: what it does to processes, links, disks and clocks,
// and how it is over. `hold` lasts as long as the trouble is to last; it says nothing about what has happened by then.

import { open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Prng } from '../simulation/prng.js';
import { writtenPart } from '../support/level-log.js';
import { until } from '../support/until.js';
import type { Load } from './clients.js';
import { FREE_MIN_BYTES, type FaultyCluster } from './faulty-cluster.js';

export interface Scene {
  readonly cluster: FaultyCluster;
  readonly load: Load;
  readonly prng: Prng;
  readonly hold: (ms: number) => Promise<void>;
}

const KNOWN_MS_MAX = 20_000;
const SETTLE_MS_MAX = 15_000;

/** How a replica may refuse a damaged disk: in words that an operator can act upon. */
const REFUSAL = /damaged|lost commits|cannot be opened|corrupt/i;

export async function killAndRestart({ cluster, prng, hold }: Scene, name: string): Promise<void> {
  await cluster.kill(name, prng.chance(0.8) ? 'SIGKILL' : 'SIGTERM');
  await hold(prng.pick([0, 200, 1500]));
  await cluster.restart(name);
}

export async function pause({ cluster, prng, hold }: Scene, name: string): Promise<void> {
  cluster.signal(name, 'SIGSTOP');
  await hold(prng.pick([200, 1000, 4000]));
  cluster.signal(name, 'SIGCONT');
}

/** As when the whole machine loses power: all processes at one moment. */
export async function killAll({ cluster, hold }: Scene): Promise<void> {
  await Promise.all(cluster.names.map((name) => cluster.kill(name)));
  await hold(100);
  await Promise.all(cluster.names.map((name) => cluster.restart(name)));
}

/** One way, both ways, or without a word; between one replica or several, and the others. */
export async function breakLinks({ cluster, prng, hold }: Scene): Promise<void> {
  const size = prng.between(1, Math.max(1, Math.floor(cluster.names.length / 2)));
  const shuffled = cluster.names.map((name) => ({ name, at: prng.next() })).sort((a, b) => a.at - b.at);
  const [left, right] = [shuffled.slice(0, size), shuffled.slice(size)].map((side) => side.map(({ name }) => name));
  const kind = prng.pick(['out', 'in', 'both', 'silent'] as const);
  if (kind === 'out') cluster.cutOneWay(left!, right!);
  else if (kind === 'in') cluster.cutOneWay(right!, left!);
  else if (kind === 'both') cluster.cut(left!, right!);
  else cluster.silence(left!, right!);
  await hold(prng.pick([300, 1500, 4000]));
  cluster.healLinks();
}

/** Its name starts again with nothing, and takes writes at once. */
export async function wipe({ cluster, hold, prng }: Scene, name: string): Promise<void> {
  await cluster.kill(name);
  await cluster.wipe(name);
  await hold(prng.pick([0, 500]));
  await cluster.restart(name);
}

/**
 * The data folder of a moment ago is brought back, when others already know of writes that it lacks. The peers must be
 * up and reachable, and clients come only when all of them have been heard: an old copy that takes writes alone can give
 * a dot again, which no replica can know.
 */
export async function bringBackOldCopy({ cluster, load, prng }: Scene, name: string): Promise<void> {
  const before = await cluster.stateOf(name);
  await cluster.kill(name);
  const copy = await cluster.copyOfDisk(name);
  cluster.note(`${name}: its folder is copied`);
  await cluster.restart(name);
  const after = await cluster.stateOf(name);
  if (after.actor !== before.actor) return cluster.note(`${name} began a new incarnation: the copy is of no use`);
  await load.untilFurther(prng.between(1, 60), name);
  await untilOthersKnow(cluster, name, after.actor, (after.clock[after.actor] ?? 0) + 1);
  await cluster.kill(name);
  cluster.setOpen(name, false);
  await cluster.bringBack(name, copy);
  await cluster.restart(name);
  await cluster.untilHeardFromAll(name);
  cluster.setOpen(name, true);
}

/**
 * A file of the database is cut, changed or removed while the replica is down. All it has written is known elsewhere first,
 * so that nothing but the copy is lost, and it hears its peers before clients come: see `bringBackOldCopy`.
 */
export async function tear(
  scene: Scene,
  name: string,
  damage: (scene: Scene, data: string) => Promise<void> = damageAFile,
): Promise<void> {
  const { cluster, load } = scene;
  cluster.setOpen(name, false);
  await load.untilIdleAt(name);
  const { clock } = await cluster.stateOf(name);
  for (const [actor, counter] of Object.entries(clock)) {
    if (actor.startsWith(`${name}.`)) await untilOthersKnow(cluster, name, actor, counter);
  }
  await cluster.kill(name);
  await cluster.exchangeDisk(name, 'a file of its database is damaged', (data) => damage(scene, data));
  cluster.markTorn(name);
  try {
    await cluster.restart(name);
  } catch {
    const log = cluster.logOf(name);
    if (!REFUSAL.test(log)) cluster.find('damage', `${name} does not say why it refuses to start; ${log}`);
    await cluster.giveUpDisk(name, 'refuses its disk, gets an empty one');
  }
  await cluster.untilHeardFromAll(name).catch(async (error: unknown) => {
    // It ended when it met the damage: as good as a refusal, only later.
    if (cluster.isRunning(name)) throw error;
    await cluster.giveUpDisk(name, 'ended by its damaged disk, gets an empty one');
    await cluster.untilHeardFromAll(name);
  });
  cluster.setOpen(name, true);
}

/**
 * No room, or hardly any; then room again. Where no small disk could be mounted the replica is told to keep more room free
 * than there is: that shows how it refuses writes, and not what a failing commit does.
 */
export async function fillDisk(scene: Scene): Promise<void> {
  const { cluster, prng, hold } = scene;
  const disk = cluster.smallDisk;
  const name = cluster.lastName;
  if (disk === undefined) return refuseForLackOfRoom(scene, name);
  const freeBytes = prng.pick([0, 4096, FREE_MIN_BYTES / 2]);
  cluster.setFull(name, true);
  await disk.leave(freeBytes);
  cluster.note(`${name}: its disk has room for ${freeBytes} bytes more`);
  await hold(prng.pick([1000, 4000]));
  await disk.makeRoom();
  cluster.note(`${name}: its disk has room again${cluster.isRunning(name) ? '' : '; it has stopped meanwhile'}`);
  await untilSettled(cluster, name);
  cluster.setFull(name, false);
  await cluster.restart(name);
}

async function refuseForLackOfRoom({ cluster, hold }: Scene, name: string): Promise<void> {
  await cluster.kill(name);
  cluster.setFreeMin(name, Number.MAX_SAFE_INTEGER);
  await cluster.restart(name);
  await hold(1000);
  await cluster.kill(name);
  cluster.setFreeMin(name, FREE_MIN_BYTES);
  await cluster.restart(name);
}

/** It either has ended over a failed commit, or takes writes again. */
async function untilSettled(cluster: FaultyCluster, name: string): Promise<void> {
  const isSettled = async (): Promise<boolean> => {
    if (!cluster.isRunning(name)) return true;
    // A refused precondition writes nothing, and is checked after the room on the disk is.
    const headers = { 'If-Match': '"none"' };
    const answer = await cluster.client(name).request('PUT', '/v1/kv/room', { headers, body: 'x', timeoutMs: 2000 });
    return answer.status === 412;
  };
  await until(`${name} has ended, or takes writes again`, isSettled, SETTLE_MS_MAX);
}

export async function shiftClock({ cluster, prng }: Scene, name: string): Promise<void> {
  await cluster.shiftClock(name, prng.between(-48, 48) / 4);
}

async function untilOthersKnow(cluster: FaultyCluster, name: string, actor: string, counter: number): Promise<void> {
  const others = cluster.names.filter((other) => other !== name);
  const isKnown = async (): Promise<boolean> => {
    const states = await Promise.all(others.map((other) => cluster.stateOf(other)));
    return states.every(({ clock }) => (clock[actor] ?? 0) >= counter);
  };
  await until(`all others know ${actor}:${counter}`, isKnown, KNOWN_MS_MAX);
}

async function damageAFile({ cluster, prng }: Scene, data: string): Promise<void> {
  const files: string[] = [];
  for (const path of (await readdir(data, { recursive: true })).sort()) {
    if ((await writtenSize(join(data, path))) === 0) continue;
    // Mostly what holds the records; now and then what says which files hold them.
    if (/\.(log|ldb)$/.test(path)) files.push(path, path, path);
    else if (/MANIFEST-\d+$|CURRENT$/.test(path)) files.push(path);
  }
  const path = prng.pick(files);
  if (prng.chance(0.2)) {
    await rm(join(data, path));
    return cluster.note(`${path} is removed`);
  }
  const file = await open(join(data, path), 'r+');
  try {
    const size = await writtenSize(join(data, path));
    const place = prng.int(size);
    if (prng.chance(0.5)) {
      await file.truncate(place);
      return cluster.note(`${path} is cut to ${place} of ${size} bytes`);
    }
    const bytes = Buffer.alloc(Math.min(prng.pick([1, 16, 4096]), size - place));
    await file.read(bytes, 0, bytes.length, place);
    for (let at = 0; at < bytes.length; at++) bytes[at] = bytes[at]! ^ prng.between(1, 255);
    await file.write(bytes, 0, bytes.length, place);
    cluster.note(`${path}: ${bytes.length} bytes are changed, of ${size}, from ${place} on`);
  } finally {
    await file.close();
  }
}

/** Of a log, without the room that is made behind what is written: what befalls that is no damage. */
async function writtenSize(path: string): Promise<number> {
  if (!path.endsWith('.log')) return (await stat(path)).size;
  return writtenPart(await readFile(path)).length;
}
