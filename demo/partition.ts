// What becomes of writes on both sides of a cut? Each side goes on by itself; after healing all replicas have the same
// versions of every key, and show the same one of those that raced.

import type { ProcessCluster } from '../test/support/process-cluster.js';
import type { Sibling } from '../test/support/process-client.js';
import { inParallel } from '../test/support/process-parallel.js';
import { until } from '../test/support/until.js';
import { withPopulation, type CityRecord } from './cities.js';
import { number, type Report } from './report.js';

export const LEFT = ['n1', 'n2'];
export const RIGHT = ['n3', 'n4'];

const EDITED_ON_BOTH_SIDES = 50;
const DELETED_AND_EDITED = 10;
const DELETED = 5;
const ROWS_SHOWN = 8;

/** By UTF-16 units the first would be the greater one; by code points, which count here, it is the second. */
const TILDE = '\u{FF5E}';
const EMOJI = '\u{1F600}';
const ORDER_KEY = 'demo/order';

/** What every replica must have after healing: all living values, the winner first. */
export type Expectation = ReadonlyMap<string, readonly string[]>;

/** Edits the first records on both sides of the cut, each at one replica. */
export async function editOnBothSides(cluster: ProcessCluster, records: readonly CityRecord[]): Promise<Expectation> {
  const [n1, n2, n3, n4] = ['n1', 'n2', 'n3', 'n4'].map((name) => cluster.client(name));
  const json = { 'Content-Type': 'application/json' };
  const expected = new Map<string, readonly string[]>();
  const raced = records.slice(0, EDITED_ON_BOTH_SIDES);
  const deletedAndEdited = records.slice(EDITED_ON_BOTH_SIDES).slice(0, DELETED_AND_EDITED);
  const deleted = records.slice(EDITED_ON_BOTH_SIDES + DELETED_AND_EDITED).slice(0, DELETED);

  await inParallel(raced, 8, async (record) => {
    const left = withPopulation(record, record.population + Math.floor(Math.random() * 1000));
    const right = withPopulation(record, record.population - 1 - Math.floor(Math.random() * 1000));
    await Promise.all([n1!.put(record.key, left, json), n3!.put(record.key, right, json)]);
    expected.set(record.key, greatestFirst(left, right));
  });
  await inParallel(deletedAndEdited, 8, async (record) => {
    const edited = withPopulation(record, record.population + 1);
    await Promise.all([n2!.delete(record.key), n4!.put(record.key, edited, json)]);
    expected.set(record.key, [edited]);
  });
  await inParallel(deleted, 8, async ({ key }) => {
    await n3!.delete(key);
    expected.set(key, []);
  });
  await Promise.all([n1!.put(ORDER_KEY, TILDE), n4!.put(ORDER_KEY, EMOJI)]);
  expected.set(ORDER_KEY, [EMOJI, TILDE]);
  return expected;
}

/** Each replica answers reads and writes, its side's values, and knows that it can't reach the other side. */
export async function showBothSides(
  cluster: ProcessCluster,
  [city]: readonly CityRecord[],
  report: Report,
): Promise<void> {
  for (const side of [LEFT, RIGHT]) {
    const other = side === LEFT ? RIGHT : LEFT;
    for (const name of side) {
      await until(`${name} notices the cut`, async () => (await unreachableFor(cluster, name)).join() === other.join());
    }
    await cluster.client(side[0]!).put(`demo/written-at-${side[0]}`, 'during the cut');
    const shown = await Promise.all(
      side.map(async (name) => populationOf((await cluster.client(name).get(city!.key)).body)),
    );
    report.say(
      `${side.join(' and ')} can't reach ${other.join(' and ')}; they give ${city!.name} ${shown[0]} inhabitants`,
    );
    report.promise(`${side.join(' and ')} take writes and answer reads`, new Set(shown).size === 1);
  }
}

/** Compares every key that was touched, at all replicas, with what must have become of it. */
export async function showConflicts(cluster: ProcessCluster, expected: Expectation, report: Report): Promise<void> {
  const wrong: string[] = [];
  const conflicts: string[][] = [];
  for (const [key, values] of expected) {
    const states = await Promise.all(cluster.clients.map((client) => client.siblings(key)));
    const tags = await Promise.all(cluster.clients.map(async (client) => (await client.get(key)).headers.etag));
    const isRight = states.every((siblings) => siblings.map(({ value }) => value).join('\n') === values.join('\n'));
    const isOneTag = new Set(tags).size === 1;
    if (!isRight || !isOneTag) wrong.push(key);
    if (values.length > 1) conflicts.push(row(key, states[0]!, tags[0], isOneTag));
  }
  const last = conflicts.at(-1)!;
  const rows = [...conflicts.slice(0, -1).slice(0, ROWS_SHOWN), last];
  report.table([['key', 'winner', 'loser', 'ETag', 'at all replicas'], ...rows]);
  if (conflicts.length > rows.length) report.say(`… and ${conflicts.length - rows.length} more`);
  report.promise(
    `each of ${conflicts.length} conflicts has the same winner, losers and ETag everywhere, the greatest string first`,
    wrong.length === 0,
  );
  const edits = [...expected.values()];
  const [alone, none] = [1, 0].map((count) => edits.filter((values) => values.length === count).length);
  report.promise(
    `${alone} edits outlived a delete that had not seen them; ${none} deletes took effect`,
    wrong.length === 0,
  );
  if (wrong.length > 0) report.say(`not as expected: ${wrong.slice(0, 5).join(', ')}`);
}

function row(key: string, [winner, loser]: readonly Sibling[], tag: string | undefined, isOneTag: boolean): string[] {
  const show = (sibling?: Sibling): string => (sibling === undefined ? 'none' : shortly(sibling.value));
  return [key, show(winner), show(loser), tag ?? 'none', isOneTag ? 'equal' : 'DIFFERENT'];
}

function shortly(value: string): string {
  if (value.startsWith('{')) return `population ${populationOf(value)}`;
  return `${value} U+${value.codePointAt(0)!.toString(16).toUpperCase()}`;
}

function populationOf(value: string | Buffer): string {
  return number((JSON.parse(value.toString()) as { population: number }).population);
}

function greatestFirst(...values: readonly string[]): readonly string[] {
  return [...values].sort((left, right) => Buffer.compare(Buffer.from(right), Buffer.from(left)));
}

async function unreachableFor(cluster: ProcessCluster, name: string): Promise<readonly string[]> {
  const { body } = await cluster.client(name).request('GET', '/v1/cluster');
  const { peers } = JSON.parse(body.toString()) as { peers: { name: string; state: string }[] };
  return peers.filter((peer) => peer.state === 'unreachable').map((peer) => peer.name);
}
