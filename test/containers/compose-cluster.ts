// How is the cluster of docker-compose.yml run beside others on this machine, hurt, and removed without a trace?
//
// It has a project name, which cleanup.js gives it, and ports of its own. Replicas are asked through their published ports
// and nowhere else.

import { resolve } from 'node:path';
import { ReplicaClient } from '../support/process-client.js';
import { freePort } from '../support/process-cluster.js';
import { until } from '../support/until.js';
import { run, runShown, shown, type Environment } from './shell.js';

export const NAMES = ['n1', 'n2', 'n3', 'n4'] as const;
/** Not in docker-compose.yml: it joins the cluster while that runs. */
export const JOINER = 'n5';
export type Name = (typeof NAMES)[number] | typeof JOINER;

/** It stays, as the builder's cache. */
export const IMAGE = 'quartet:test';
export const BASE = 'node:24-bookworm-slim';

const PROJECT = resolve(import.meta.dirname, '../..');
const READY_MS_MAX = 60_000;
const LEVEL_MS_MAX = 60_000;

/** The host's network: name lookups of the builder's own don't work on every machine. */
export function buildImage(): Promise<void> {
  return runShown(['docker', 'build', '--network', 'host', '--build-arg', `BASE=${BASE}`, '-t', IMAGE, PROJECT]);
}

export class ComposeCluster {
  private constructor(
    private readonly project: string,
    private readonly compose: readonly string[],
    private readonly environment: Environment,
    private readonly clientOf: ReadonlyMap<Name, ReplicaClient>,
  ) {}

  /** Starts nothing yet. */
  static async create(): Promise<ComposeCluster> {
    const { CONTAINERS_PROJECT: project = '', CONTAINERS_COMPOSE: command = '' } = process.env;
    const files = ['docker-compose.yml', 'test/containers/edges.yml'].flatMap((file) => ['-f', resolve(PROJECT, file)]);
    const compose = [...command.split(' '), '--project-directory', PROJECT, ...files, '-p', project];
    const environment: Record<string, string> = { QUARTET_IMAGE: IMAGE };
    const clients = new Map<Name, ReplicaClient>();
    const ports: number[] = [];
    for (const name of [...NAMES, JOINER] as const) {
      const port = await freePort(ports);
      ports.push(port);
      environment[`QUARTET_PUBLISH_${name.toUpperCase()}`] = String(port);
      clients.set(name, new ReplicaClient(`http://127.0.0.1:${port}`));
    }
    return new ComposeCluster(project, compose, environment, clients);
  }

  client(name: Name): ReplicaClient {
    return this.clientOf.get(name)!;
  }

  /** All services, or those named; the image must be there. */
  async up(...names: Name[]): Promise<void> {
    await run(
      [...this.compose, 'up', '-d', '--no-build', ...(names.length > 0 ? ['--no-deps', ...names] : [])],
      this.environment,
    );
  }

  untilReady(...names: readonly Name[]): Promise<void> {
    return shown(`waiting for ${names.join(', ')} to be ready`, () =>
      until(
        `${names.join(', ')} are ready`,
        async () => {
          const answers = await Promise.all(
            names.map((name) => this.client(name).request('GET', '/readyz', { timeoutMs: 2000 })),
          );
          return answers.every(({ status }) => status === 200);
        },
        READY_MS_MAX,
      ),
    );
  }

  /** Starts a fifth replica beside the four, hardened as they are; it lists one member and itself, and nobody lists it. */
  async join(member: Name): Promise<void> {
    const { port } = new URL(this.client(JOINER).url);
    const secret = resolve(PROJECT, 'deploy/development-only-cluster-secret');
    const settings = {
      NAME: JOINER,
      PEER_PORT: '5001',
      PEERS: `${member}=http://${member}:5001,${JOINER}=http://${JOINER}:5001`,
      CLUSTER_SECRET_FILE: '/run/secrets/cluster-secret',
    };
    const container = await run([
      ...['docker', 'create', '--read-only', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges:true'],
      ...['--memory', '512m', '--cpus', '1', '--publish', `127.0.0.1:${port}:5000`],
      // Removed with the others, if a test ends before it has removed it.
      ...['--label', `com.docker.compose.project=${this.project}`, '--label', `com.docker.compose.service=${JOINER}`],
      ...['--network', `${this.project}_edge-${member}`, '--volume', `${secret}:/run/secrets/cluster-secret:ro`],
      ...Object.entries(settings).flatMap(([name, value]) => ['--env', `QUARTET_${name}=${value}`]),
      IMAGE,
    ]);
    await run(['docker', 'network', 'connect', '--alias', JOINER, this.network, container]);
    await run(['docker', 'start', container]);
  }

  /** Removes its container, and the volume that has no name. */
  async dispose(name: Name): Promise<void> {
    await this.docker(name, 'rm', '--force', '--volumes');
  }

  /** Resolves when all that are named have equal clocks and equal digests. @returns how many keys they hold */
  async untilLevel(names: readonly Name[] = NAMES): Promise<number> {
    const clients = names.map((name) => this.client(name));
    let keys = 0;
    const isLevel = async (): Promise<boolean> => {
      const clocks = await Promise.all(clients.map((client) => client.clock()));
      if (new Set(clocks).size > 1) throw new Error(`clocks: ${clocks.join(' ')}`);
      const digests = await Promise.all(clients.map((client) => client.digest()));
      if (new Set(digests.map(({ sha256 }) => sha256)).size > 1) throw new Error('clocks are equal, digests are not');
      keys = digests[0]!.keys;
      return true;
    };
    await shown('waiting until all are level', () => until('all replicas are level', isLevel, LEVEL_MS_MAX));
    return keys;
  }

  async container(name: Name): Promise<string> {
    const labels = { project: this.project, service: name };
    const filters = Object.entries(labels).flatMap(([key, value]) => [
      '--filter',
      `label=com.docker.compose.${key}=${value}`,
    ]);
    return run(['docker', 'ps', '--all', '--quiet', ...filters]);
  }

  /** Any docker command whose last argument is the container. */
  async docker(name: Name, ...command: string[]): Promise<string> {
    return run(['docker', ...command, await this.container(name)]);
  }

  /** From now on it reaches no other replica, and none reaches it; its published port works on. */
  async disconnect(name: Name): Promise<void> {
    await this.docker(name, 'network', 'disconnect', this.network);
  }

  async reconnect(name: Name): Promise<void> {
    await this.docker(name, 'network', 'connect', '--alias', name, this.network);
  }

  /** Removes container and volume, as when a machine is lost with its disk. */
  async lose(name: Name): Promise<void> {
    await this.docker(name, 'rm', '--force');
    await run(['docker', 'volume', 'rm', `${this.project}_${name}`]);
  }

  /** Removes containers, networks and volumes; `up` makes them anew. */
  async down(): Promise<void> {
    await shown('removing containers, networks and volumes', () =>
      run([...this.compose, 'down', '--volumes', '--remove-orphans', '--timeout', '5'], this.environment),
    );
  }

  /** Ends it for good. */
  async remove(): Promise<void> {
    for (const client of this.clientOf.values()) client.close();
    await this.down();
  }

  logs(): Promise<string> {
    return run([...this.compose, 'logs', '--no-color', '--tail', '30'], this.environment);
  }

  private get network(): string {
    return `${this.project}_default`;
  }
}
