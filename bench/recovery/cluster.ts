// What is measured? Replicas as processes of their own, on loopback and on this machine's disk, each reaching each other
// one through a proxy that counts and cuts. A member can be added later: the others start again and know it.

import { createHash } from 'node:crypto';
import { copyFile, cp, mkdir, mkdtemp, readdir, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { freePort } from '../../test/support/process-cluster.js';
import { ReplicaProcess } from '../../test/support/process-replica.js';
import { newestNode } from '../targets/node-binaries.js';
import { minus, MeteredLink, NO_TRAFFIC, plus, type Traffic } from './metered-link.js';
import { withProgress } from './progress.js';
import { covers, joined, missing, readClock, type Clock } from './clocks.js';

const LOOK_EVERY_MS = 20;
const FIRST_LOOK_EVERY_MS = 5;
/** Longer than any step of this benchmark should take on a slow machine. */
const LEVEL_MS_MAX = 600_000;

export class RecoveryCluster {
  private readonly links = new Map<string, MeteredLink>();
  private readonly ports = new Map<string, number>();
  private members: readonly ReplicaProcess[] = [];
  private readonly onExit = (): void => this.members.forEach((replica) => replica.killAtOnce());
  private readonly onSignal = (): void => void this.close().finally(() => process.exit(130));

  private constructor(
    private readonly folder: string,
    private readonly launcher: readonly string[],
  ) {
    process.once('exit', this.onExit);
    process.once('SIGINT', this.onSignal);
    process.once('SIGTERM', this.onSignal);
  }

  /** Lays it out in a new temporary folder, without starting a replica. */
  static async create(names: readonly string[], launcher: readonly string[] = []): Promise<RecoveryCluster> {
    const folder = await mkdtemp(join(tmpdir(), 'quartet-recovery-'));
    const cluster = new RecoveryCluster(folder, launcher);
    await copyBuild(folder);
    await cluster.setMembers(names);
    return cluster;
  }

  get names(): readonly string[] {
    return this.members.map(({ name }) => name);
  }

  get running(): readonly string[] {
    return this.members.filter(({ isRunning }) => isRunning).map(({ name }) => name);
  }

  replica(name: string): ReplicaProcess {
    const replica = this.members.find((candidate) => candidate.name === name);
    if (replica === undefined) throw new Error(`${name} is not in this cluster`);
    return replica;
  }

  urls(names: readonly string[] = this.names): readonly string[] {
    return names.map((name) => this.replica(name).client.url);
  }

  /** Who belongs to it from the next start on. Nobody may be running; data and ports of known ones stay. */
  async setMembers(names: readonly string[]): Promise<void> {
    if (this.running.length > 0) throw new Error('replicas learn their members at start: stop them first');
    for (const name of names) {
      if (!this.ports.has(name)) this.ports.set(name, await freePort([...this.ports.values()]));
    }
    const pairs = names.flatMap((from) => names.filter((to) => to !== from).map((to) => [from, to] as const));
    for (const [from, to] of pairs) {
      const link = linkName(from, to);
      if (!this.links.has(link)) this.links.set(link, await MeteredLink.listen(this.ports.get(to)!));
    }
    this.members.forEach(({ client }) => client.close());
    this.members = names.map((name) => this.process(name, (to) => this.links.get(linkName(name, to))!.port, names));
  }

  /** The stopped replica will ask the others without a proxy between, which is neither counted nor cut, or with one again. */
  setDirect(name: string, isDirect: boolean): void {
    if (this.replica(name).isRunning) throw new Error(`${name} learns its peers at start: stop it first`);
    this.replica(name).client.close();
    const portOf = (to: string): number => (isDirect ? this.ports.get(to)! : this.links.get(linkName(name, to))!.port);
    const changed = this.process(name, portOf, this.names);
    this.members = this.members.map((member) => (member.name === name ? changed : member));
  }

  private process(name: string, portOf: (to: string) => number, names: readonly string[]): ReplicaProcess {
    const others = names.filter((to) => to !== name);
    return new ReplicaProcess({
      name,
      port: this.ports.get(name)!,
      data: this.dataOf(name),
      log: join(this.folder, `${name}.log`),
      entry: join(this.folder, 'dist', 'main.js'),
      peers: others.map((to) => `${to}=http://127.0.0.1:${portOf(to)}`).join(','),
      launcher: this.launcher,
      node: newestNode().path,
      // What is measured is what members need.
      environment: { QUARTET_FEED_RETENTION_SECONDS: '0' },
    });
  }

  /** @returns milliseconds until each is ready, in the order of the names */
  start(names: readonly string[] = this.names): Promise<readonly number[]> {
    return Promise.all(names.map((name) => this.replica(name).start()));
  }

  /** As an operator stops them: with SIGTERM, and in their own time. */
  async stop(names: readonly string[] = this.running): Promise<void> {
    await Promise.all(names.map((name) => this.replica(name).kill('SIGTERM')));
  }

  cut(name: string): void {
    for (const link of this.linksOf(name)) link.cut();
  }

  heal(name: string): void {
    for (const link of this.linksOf(name)) link.heal();
  }

  /** How many directed links this replica has, or all have. */
  linkCount(name?: string): number {
    return this.linksOf(name).length;
  }

  /** What has crossed the links from and to this replica, or all links, so far. */
  traffic(name?: string): Traffic {
    return this.linksOf(name).reduce((sum, link) => plus(sum, link.traffic), NO_TRAFFIC);
  }

  /** Of the others, the one that has exchanged the most bytes with `name` since `before` was taken. */
  async busiestPeerOf(name: string, during: () => Promise<void>): Promise<string> {
    const others = this.names.filter((other) => other !== name);
    const before = others.map((other) => this.trafficBetween(name, other));
    await during();
    const bytes = others.map((other, place) => minus(this.trafficBetween(name, other), before[place]!).bytes);
    return others[bytes.indexOf(Math.max(...bytes))]!;
  }

  /** Resolves at the first answer that crosses one of the replica's links: it can be talked to, or can talk, again. */
  firstContact(name: string): Promise<void> {
    return new Promise((resolve) => this.linksOf(name).forEach((link) => link.onNextAnswer(resolve)));
  }

  /** Resolves when the replica answers a client for the first time. */
  async firstAnswer(name: string): Promise<void> {
    const deadline = performance.now() + LEVEL_MS_MAX;
    while ((await readClock(this.replica(name).client).catch(() => undefined)) === undefined) {
      if (performance.now() > deadline) throw new Error(`${name} has not answered for ${LEVEL_MS_MAX / 1000} s`);
      await new Promise((resolve) => setTimeout(resolve, FIRST_LOOK_EVERY_MS));
    }
  }

  /** Everything that these replicas know together. */
  async clock(names: readonly string[] = this.running): Promise<Clock> {
    const clocks = await Promise.all(names.map((name) => readClock(this.replica(name).client)));
    return clocks.reduce(joined);
  }

  /** Resolves once the replica's clock covers `goal`. */
  async untilCovers(name: string, goal: Clock, onMissing: (dots: number) => void = () => {}): Promise<void> {
    const deadline = performance.now() + LEVEL_MS_MAX;
    while (performance.now() < deadline) {
      // It may be starting, or too busy to take a connection.
      const clock = await readClock(this.replica(name).client).catch(() => undefined);
      if (clock !== undefined) {
        if (covers(clock, goal)) return;
        onMissing(missing(clock, goal));
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
    throw new Error(`${name} is not level after ${LEVEL_MS_MAX / 1000} s`);
  }

  /** Resolves once each of them knows what they all know now. @returns what that is */
  async untilLevel(names: readonly string[] = this.running): Promise<Clock> {
    const goal = await this.clock(names);
    await Promise.all(names.map((name) => this.untilCovers(name, goal)));
    return goal;
  }

  /** @throws when two of them list other keys, or other versions of a key */
  async checkEqual(names: readonly string[] = this.running): Promise<void> {
    const digests: string[] = [];
    await withProgress('Comparing listings', names.length, async (progress) => {
      // One after the other: each is a hundred bytes for every key.
      for (const name of names) {
        const headers = { Accept: 'application/x-ndjson' };
        const { status, body } = await this.replica(name).client.request('GET', '/v1/kv', { headers });
        if (status !== 200) throw new Error(`the listing of ${name} was answered with ${status}`);
        progress(digests.push(createHash('sha256').update(body).digest('hex')));
      }
    });
    if (new Set(digests).size > 1) throw new Error(`clocks are level and contents differ: ${names.join(', ')}`);
  }

  /** What a replica's folder takes of the disk, in whole blocks, as `du` counts. */
  async diskBytes(name: string): Promise<number> {
    let bytes = 0;
    for (const file of await readdir(this.dataOf(name), { recursive: true })) {
      // A compaction may remove it meanwhile.
      const found = await stat(join(this.dataOf(name), file)).catch(() => undefined);
      bytes += (found?.blocks ?? 0) * 512;
    }
    return bytes;
  }

  /** Ends every replica and proxy, and removes the folder. */
  async close(): Promise<void> {
    await Promise.all(this.running.map((name) => this.replica(name).kill('SIGKILL')));
    this.members.forEach(({ client }) => client.close());
    await Promise.all([...this.links.values()].map((link) => link.close()));
    process.off('exit', this.onExit);
    process.off('SIGINT', this.onSignal);
    process.off('SIGTERM', this.onSignal);
    await rm(this.folder, { recursive: true, force: true });
  }

  private trafficBetween(left: string, right: string): Traffic {
    return plus(this.links.get(linkName(left, right))!.traffic, this.links.get(linkName(right, left))!.traffic);
  }

  private linksOf(name: string | undefined): readonly MeteredLink[] {
    return [...this.links]
      .filter(([link]) => name === undefined || link.split('→').includes(name))
      .map(([, link]) => link);
  }

  private dataOf(name: string): string {
    return join(this.folder, 'data', name);
  }
}

function linkName(from: string, to: string): string {
  return `${from}→${to}`;
}

/** A build meanwhile changes nothing then; packages are found where the project has them. */
async function copyBuild(folder: string): Promise<void> {
  const project = resolve(import.meta.dirname, '../..');
  await mkdir(join(folder, 'data'));
  await cp(join(project, 'dist'), join(folder, 'dist'), { recursive: true });
  await copyFile(join(project, 'package.json'), join(folder, 'package.json'));
  for (const name of ['node_modules', 'engine']) await symlink(join(project, name), join(folder, name));
}
