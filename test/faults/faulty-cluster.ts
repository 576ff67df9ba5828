// A cluster of real processes to which things happen. It does them, and keeps the account that the verdict needs: which
// disk a replica has, which were destroyed when, when processes ended; and what was done when, to be told on failure.

import { cp, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ProcessCluster } from '../support/process-cluster.js';
import type { ReplicaClient } from '../support/process-client.js';
import { SmallDisk } from '../support/small-disk.js';
import { until } from '../support/until.js';
import type { Destruction } from './history.js';
import type { Finding } from './ledger.js';
import { seenIn } from './token.js';

const MIB = 2 ** 20;
const CLOCK_PRELOAD = resolve(import.meta.dirname, '../support/shifted-clock.mjs');
/** tmpfs takes memory for what is in it only. */
const ROOMY_BYTES = 1024 * MIB;
export const FREE_MIN_BYTES = 2 * MIB;
const FREE_MIN = 'QUARTET_DISK_FREE_MIN_BYTES';
const HEARD_MS_MAX = 20_000;

interface Place {
  /** Whether clients may come. A replica that is down stays open: its clients are refused, as in life. */
  isOpen: boolean;
  disk: number;
  isEnding: boolean;
  isTorn: boolean;
  isFull: boolean;
}

export interface ClusterState {
  readonly actor: string;
  readonly clock: Readonly<Record<string, number>>;
  readonly peers: readonly { readonly name: string; readonly state: string }[];
}

export class FaultyCluster {
  private readonly startedAtMs = performance.now();
  private readonly places = new Map<string, Place>();
  /** Of each replica, as of its next start. */
  private readonly environments: ReadonlyMap<string, Record<string, string>>;
  readonly timeline: { readonly atMs: number; readonly text: string }[] = [];
  readonly destructions: Destruction[] = [];
  readonly ends = new Map<string, number[]>();
  /** What went wrong that no key shows. */
  readonly findings: Finding[] = [];
  readonly problems = new Map<string, number>();

  private constructor(
    private readonly cluster: ProcessCluster,
    /** The last replica's; undefined when this user may not mount. */
    readonly smallDisk: SmallDisk | undefined,
    environments: ReadonlyMap<string, Record<string, string>>,
  ) {
    this.environments = environments;
    for (const name of cluster.names) {
      this.places.set(name, { isOpen: true, disk: 0, isEnding: false, isTorn: false, isFull: false });
      this.ends.set(name, []);
    }
  }

  /** With a small disk for the last replica, if the user may mount one. */
  static async start({ replicas = 4, hasSmallDisk = true } = {}): Promise<FaultyCluster> {
    const environments = new Map<string, Record<string, string>>();
    const environmentOf = (name: string, folder: string): Record<string, string> => {
      const environment = {
        NODE_OPTIONS: `--import=${CLOCK_PRELOAD}`,
        SHIFTED_CLOCK_FILE: join(folder, `${name}.clock`),
        [FREE_MIN]: String(FREE_MIN_BYTES),
      };
      environments.set(name, environment);
      return environment;
    };
    const cluster = await ProcessCluster.create({ replicas, environmentOf });
    try {
      const disk = hasSmallDisk ? await SmallDisk.mount(cluster.replicas.at(-1)!.setup.data, ROOMY_BYTES) : undefined;
      if (disk !== undefined) cluster.atStop(() => disk.unmount());
      const faulty = new FaultyCluster(cluster, disk, environments);
      await Promise.all(cluster.names.map((name) => faulty.start(name)));
      return faulty;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  get names(): readonly string[] {
    return this.cluster.names;
  }

  get folder(): string {
    return this.cluster.folder;
  }

  get lastName(): string {
    return this.names.at(-1)!;
  }

  client(name: string): ReplicaClient {
    return this.cluster.client(name);
  }

  nowMs(): number {
    return performance.now() - this.startedAtMs;
  }

  note(text: string): void {
    this.timeline.push({ atMs: this.nowMs(), text });
  }

  openReplicas(): readonly string[] {
    return this.names.filter((name) => this.place(name).isOpen);
  }

  diskOf(name: string): number {
    return this.place(name).disk;
  }

  counterIn(token: string, actor: string): number {
    const { vector, dot } = seenIn(token);
    return dot?.actor === actor ? dot.counter : (vector.get(actor) ?? 0);
  }

  isRunning(name: string): boolean {
    return this.cluster.replica(name).isRunning;
  }

  /** An answer that nobody hopes for. A failure inside a replica is a finding, unless its disk explains it. */
  noteProblem(name: string, status: number, code: string): void {
    const problem = `${status} ${code}`;
    this.problems.set(problem, (this.problems.get(problem) ?? 0) + 1);
    const { isFull, isTorn, isEnding } = this.place(name);
    if (code !== 'INTERNAL' && code !== 'REPLICA_STOPPED') return;
    if (!isFull && !isTorn && !isEnding) this.find('no error', `${name} answers ${problem}`);
  }

  setOpen(name: string, isOpen: boolean): void {
    this.place(name).isOpen = isOpen;
  }

  setFull(name: string, isFull: boolean): void {
    this.place(name).isFull = isFull;
  }

  /** How much room it keeps free, from its next start on. */
  setFreeMin(name: string, bytes: number): void {
    this.environments.get(name)![FREE_MIN] = String(bytes);
  }

  isTorn(name: string): boolean {
    return this.place(name).isTorn;
  }

  /** @throws when the process ends before it is ready */
  async start(name: string): Promise<void> {
    const place = this.place(name);
    place.isEnding = false;
    const ready = this.cluster.restart(name);
    // The process exists by now.
    void this.cluster
      .replica(name)
      .gone()
      .then((exit) => {
        this.ends.get(name)!.push(this.nowMs());
        if (place.isEnding) return;
        this.note(`${name} ended by itself (code ${exit?.code})`);
        if (place.isFull || place.isTorn) return;
        this.find('process', `${name} ended by itself; ${this.cluster.replica(name).lastLogLines()}`);
      });
    await ready;
  }

  async kill(name: string, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.place(name).isEnding = true;
    if (!this.isRunning(name)) return;
    await this.cluster.kill(name, signal);
    this.note(`${name}: ${signal}`);
  }

  async restart(name: string): Promise<void> {
    if (this.isRunning(name)) return;
    await this.start(name);
    this.note(`${name}: started`);
  }

  signal(name: string, signal: NodeJS.Signals): void {
    this.cluster.replica(name).signal(signal);
    this.note(`${name}: ${signal}`);
  }

  cutOneWay(from: readonly string[], to: readonly string[]): void {
    this.cluster.cutOneWay(from, to);
    this.note(`cut: nothing gets from ${from.join(', ')} to ${to.join(', ')}`);
  }

  cut(left: readonly string[], right: readonly string[]): void {
    this.cluster.cut(left, right);
    this.note(`cut: ${left.join(', ')} from ${right.join(', ')}`);
  }

  silence(left: readonly string[], right: readonly string[]): void {
    this.cluster.silence(left, right);
    this.note(`silence between ${left.join(', ')} and ${right.join(', ')}`);
  }

  healLinks(): void {
    this.cluster.heal();
    this.note('all links work again');
  }

  async shiftClock(name: string, hours: number): Promise<void> {
    await writeFile(join(this.folder, `${name}.clock`), String(hours * 3_600_000));
    this.signal(name, 'SIGUSR2');
    this.note(`${name}: its wall clock is off by ${hours} h from now on`);
  }

  /** The data folder of a stopped replica; what is in it is no longer what it had. */
  async exchangeDisk(name: string, what: string, exchange: (data: string) => Promise<void>): Promise<void> {
    if (this.isRunning(name)) throw new Error(`${name} runs: its disk is not to be touched`);
    const place = this.place(name);
    await exchange(this.dataOf(name));
    place.disk++;
    this.destructions.push({ replica: name, atMs: this.nowMs() });
    this.note(`${name}: ${what} (disk ${place.disk})`);
  }

  async wipe(name: string, what = 'disk wiped'): Promise<void> {
    await this.exchangeDisk(name, what, empty);
    this.place(name).isTorn = false;
  }

  /** Of a stopped replica. @returns where the copy is */
  async copyOfDisk(name: string): Promise<string> {
    const copy = join(this.folder, 'copies', `${name}-${Math.round(this.nowMs())}`);
    await mkdir(copy, { recursive: true });
    await cp(this.dataOf(name), copy, { recursive: true });
    return copy;
  }

  async bringBack(name: string, copy: string): Promise<void> {
    await this.exchangeDisk(name, 'an old copy of its folder is back', async (data) => {
      await empty(data);
      await cp(copy, data, { recursive: true });
    });
  }

  markTorn(name: string): void {
    this.place(name).isTorn = true;
  }

  dataOf(name: string): string {
    return this.cluster.replica(name).setup.data;
  }

  logOf(name: string): string {
    return this.cluster.replica(name).lastLogLines();
  }

  async stateOf(name: string): Promise<ClusterState> {
    const answer = await this.client(name).request('GET', '/v1/cluster', { timeoutMs: 3000 });
    return JSON.parse(answer.body.toString()) as ClusterState;
  }

  /** Resolves once all peers have told this replica what they know of it. */
  async untilHeardFromAll(name: string): Promise<void> {
    const isHeard = async (): Promise<boolean> =>
      (await this.stateOf(name)).peers.every(({ state }) => state !== 'unreachable');
    await until(`${name} has heard from all peers`, isHeard, HEARD_MS_MAX);
  }

  async giveUpDisk(name: string, what: string): Promise<void> {
    await this.kill(name);
    await this.wipe(name, what);
    await this.restart(name);
  }

  /** Resolves when all have equal clocks and show the same. */
  async untilLevel(deadlineMs: number): Promise<void> {
    await this.cluster.untilLevel(this.names, deadlineMs);
    this.note('all replicas are level');
  }

  find(invariant: string, message: string): void {
    this.findings.push({ invariant, key: '', message });
  }

  async stop(): Promise<void> {
    for (const place of this.places.values()) place.isEnding = true;
    await this.cluster.stop();
  }

  private place(name: string): Place {
    return this.places.get(name)!;
  }
}

async function empty(folder: string): Promise<void> {
  for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true, force: true });
}
