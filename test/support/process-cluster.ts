// How is a cluster of real processes run, cut apart and put together again?
//
// Each replica reaches each other one through a proxy of its own, so that every directed link can be cut. Everything
// lies in one folder: data, logs, and a copy of the compiled replica, so that a build meanwhile changes nothing.

import { cp, mkdir, mkdtemp, rm, symlink, copyFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { LinkProxy } from './link-proxy.js';
import type { Digest, ReplicaClient } from './process-client.js';
import { until } from './until.js';
import { ReplicaProcess, type Exit } from './process-replica.js';

export interface ClusterOptions {
  /** 4 unless given; they are named n1, n2, … */
  readonly replicas?: number;
  /** Without proxies links can't be cut, and cost nothing. True unless given. */
  readonly isCuttable?: boolean;
  /** Goes before `node`, to pin it to a core for example. */
  readonly launcher?: readonly string[];
  /** Another `node` than the one that runs this. */
  readonly node?: string;
  /** More environment for a replica, given its name and the folder that everything lies in. */
  readonly environmentOf?: (name: string, folder: string) => Readonly<Record<string, string>>;
}

/** Below the ports that the system gives to outgoing connections, so that a killed replica's port stays free. */
const PORTS = { first: 10_000, count: 20_000 } as const;

const LEVEL_MS_MAX = 20_000;

/** For a test's hook that starts a cluster: a replica may take two minutes until it is ready. */
export const START_MS_MAX = 150_000;

export class ProcessCluster {
  private readonly cleanups: (() => Promise<void>)[] = [];
  private isStopping = false;
  // For programs. In a test `process` is a copy of Jest's, which calls none of these: test/support/cleanup.js.
  private readonly onExit = (): void => this.replicas.forEach((replica) => replica.killAtOnce());
  private readonly onInterrupt = (): void => {
    void this.stop().finally(() => process.exit(130));
  };

  private constructor(
    readonly folder: string,
    readonly replicas: readonly ReplicaProcess[],
    private readonly links: ReadonlyMap<string, LinkProxy>,
  ) {
    process.once('exit', this.onExit);
    process.once('SIGINT', this.onInterrupt);
    process.once('SIGTERM', this.onInterrupt);
  }

  /** Lays the cluster out in a new temporary folder, without starting a replica. */
  static async create({
    replicas = 4,
    isCuttable = true,
    launcher = [],
    node = process.execPath,
    environmentOf = () => ({}),
  }: ClusterOptions = {}): Promise<ProcessCluster> {
    const folder = await mkdtemp(join(tmpdir(), 'quartet-'));
    const entry = await copyBuild(folder).catch(async (error: unknown) => {
      await rm(folder, { recursive: true, force: true });
      throw error;
    });
    const names = Array.from({ length: replicas }, (_, index) => `n${index + 1}`);
    const ports = new Map<string, number>();
    for (const name of names) ports.set(name, await freePort([...ports.values()]));
    const links = new Map<string, LinkProxy>();
    for (const from of names) {
      for (const to of names) {
        if (isCuttable && from !== to)
          links.set(linkName(from, to), await LinkProxy.listen('127.0.0.1', ports.get(to)!));
      }
    }
    const peersOf = (from: string): string =>
      names
        .filter((to) => to !== from)
        .map((to) => `${to}=http://127.0.0.1:${links.get(linkName(from, to))?.port ?? ports.get(to)}`)
        .join(',');
    const processes = names.map(
      (name) =>
        new ReplicaProcess({
          name,
          port: ports.get(name)!,
          data: join(folder, 'data', name),
          log: join(folder, `${name}.log`),
          entry,
          peers: peersOf(name),
          launcher,
          node,
          environment: environmentOf(name, folder),
        }),
    );
    return new ProcessCluster(folder, processes, links);
  }

  /** Creates it and starts all replicas at once. */
  static async start(options: ClusterOptions = {}): Promise<ProcessCluster> {
    const cluster = await ProcessCluster.create(options);
    try {
      await Promise.all(cluster.replicas.map((replica) => replica.start()));
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  get names(): readonly string[] {
    return this.replicas.map((replica) => replica.name);
  }

  get clients(): readonly ReplicaClient[] {
    return this.replicas.map((replica) => replica.client);
  }

  replica(name: string): ReplicaProcess {
    const replica = this.replicas.find((candidate) => candidate.name === name);
    if (replica === undefined) throw new Error(`${name} is not in this cluster`);
    return replica;
  }

  client(name: string): ReplicaClient {
    return this.replica(name).client;
  }

  kill(name: string, signal: NodeJS.Signals): Promise<Exit> {
    return this.replica(name).kill(signal);
  }

  restart(name: string): Promise<number> {
    if (this.isStopping) throw new Error(`the cluster is being stopped: ${name} is not started any more`);
    return this.replica(name).start();
  }

  /** Deletes a stopped replica's data, as a new disk in its place would have none. */
  async wipe(name: string): Promise<void> {
    const replica = this.replica(name);
    if (replica.isRunning) throw new Error(`${name} runs: stop it before its disk is wiped`);
    await rm(replica.setup.data, { recursive: true, force: true });
  }

  /** From now on no request gets from one of `from` to one of `to`; the other direction stays as it is. */
  cutOneWay(from: readonly string[], to: readonly string[]): void {
    for (const link of this.linksBetween(from, to)) link.cut();
  }

  cut(left: readonly string[], right: readonly string[]): void {
    this.cutOneWay(left, right);
    this.cutOneWay(right, left);
  }

  /** From now on the links between `left` and `right` carry nothing and say nothing, as when packets get lost. */
  silence(left: readonly string[], right: readonly string[]): void {
    for (const link of [...this.linksBetween(left, right), ...this.linksBetween(right, left)]) link.silence();
  }

  /** All links work again. */
  heal(): void {
    for (const link of this.links.values()) link.heal();
  }

  /**
   * Resolves when the named replicas, all unless given, have equal clocks and equal digests.
   * @returns the digest, and after how many milliseconds the clocks were equal; comparing digests takes longer
   */
  async untilLevel(
    names: readonly string[] = this.names,
    deadlineMs = LEVEL_MS_MAX,
  ): Promise<{ readonly digest: Digest; readonly afterMs: number }> {
    const clients = names.map((name) => this.client(name));
    const startedAt = performance.now();
    let afterMs = 0;
    let digests: Digest[] = [];
    const isLevel = async (): Promise<boolean> => {
      const clocks = await Promise.all(clients.map((client) => client.clock()));
      if (new Set(clocks).size > 1) throw new Error(`clocks: ${clocks.join(' ')}`);
      afterMs = performance.now() - startedAt;
      digests = await Promise.all(clients.map((client) => client.digest()));
      const shown = digests.map(({ keys, sha256 }) => `${keys} keys ${sha256.slice(0, 8)}`);
      if (new Set(shown).size > 1) throw new Error(`clocks are equal, digests: ${shown.join(', ')}`);
      return true;
    };
    await until(`${names.join(', ')} are level`, isLevel, deadlineMs);
    return { digest: digests[0]!, afterMs };
  }

  /** To be done when all replicas have stopped, before the folder goes. */
  atStop(cleanup: () => Promise<void>): void {
    this.cleanups.push(cleanup);
  }

  /** Stops every replica and proxy, and removes the folder unless it is to be kept. */
  async stop({ isKept = false }: { isKept?: boolean } = {}): Promise<void> {
    this.isStopping = true;
    const running = this.replicas.filter((replica) => replica.isRunning);
    await Promise.all(running.map((replica) => replica.kill('SIGKILL')));
    this.clients.forEach((client) => client.close());
    await Promise.all([...this.links.values()].map((link) => link.close()));
    for (const cleanup of this.cleanups.splice(0)) await cleanup();
    process.off('exit', this.onExit);
    process.off('SIGINT', this.onInterrupt);
    process.off('SIGTERM', this.onInterrupt);
    if (!isKept) await rm(this.folder, { recursive: true, force: true });
  }

  private linksBetween(from: readonly string[], to: readonly string[]): LinkProxy[] {
    if (this.links.size === 0) throw new Error('this cluster has no proxies: its links can’t be cut');
    return from.flatMap((source) => to.map((target) => this.links.get(linkName(source, target))!));
  }
}

function linkName(from: string, to: string): string {
  return `${from}→${to}`;
}

/** @returns the path of the copied `main.js`, which finds the packages where the project has them */
async function copyBuild(folder: string): Promise<string> {
  const project = resolve(import.meta.dirname, '../..');
  await mkdir(join(folder, 'data'));
  await cp(join(project, 'dist'), join(folder, 'dist'), { recursive: true }).catch((error: unknown) => {
    throw new Error('there is no build; run npm run build first', { cause: error });
  });
  await copyFile(join(project, 'package.json'), join(folder, 'package.json'));
  for (const name of ['node_modules', 'engine']) await symlink(join(project, name), join(folder, name));
  return join(folder, 'dist', 'main.js');
}

/** A port of this machine that nobody listens on, and not one of `taken`. */
export async function freePort(taken: readonly number[] = []): Promise<number> {
  for (;;) {
    const port = PORTS.first + Math.floor(Math.random() * PORTS.count);
    if (!taken.includes(port) && (await canListen(port))) return port;
  }
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
