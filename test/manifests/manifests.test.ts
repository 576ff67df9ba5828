// Would a Kubernetes cluster run what k8s/ describes? By the schemas of its versions, and by what no schema can see: that
// the parts name each other rightly, and that replicas are what the parts take them for.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { membersOf } from '../../src/cluster/name-service.js';
import { loadConfig, type Config } from '../../src/config/config.js';
import { CLOSE_MS_MAX } from '../../src/controllers/http/closed.js';
import { DRAIN_TIMEOUT_MS } from '../../src/replication/exchanges.js';
import { HAND_OVER_MS_MAX } from '../../src/replication/hand-over.js';
import { freePort } from '../support/process-cluster.js';
import { until } from '../support/until.js';
import { Rendered, type Labels } from './rendered.js';
import { KUBERNETES_VERSIONS, validate } from './tools.js';

/** The first use of a tool fetches it. */
const FETCH_MS_MAX = 600_000;

/** Besides the bounded waits: the last commits, and the database's end. */
const CLOSE_STORE_MS = 5000;

const FOLDERS = ['k8s', 'k8s/overlays/development', 'k8s/overlays/production'] as const;
const DEVELOPMENT = ['k8s', 'k8s/overlays/development'];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quartet-manifests-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test(
  'the schemas refuse what is no manifest',
  async () => {
    const { text } = await Rendered.from('k8s');
    const file = join(folder, 'broken.yaml');
    for (const [good, bad, complaint] of [
      ['replicas: 4', 'replicas: four', 'spec.replicas'],
      ['podManagementPolicy:', 'podManagementPolice:', 'podManagementPolice'],
      ['maxUnavailable: 1', 'maxUnavailable: [1]', 'spec.maxUnavailable'],
      ['    port: 5000\n', '', "'port' is a required property"],
    ] as const) {
      expect(text).toContain(good);
      await writeFile(file, text.replace(good, bad));
      const { status, output } = await validate(file, KUBERNETES_VERSIONS[0]);
      expect(status).not.toBe(0);
      expect(output).toContain(complaint);
    }
  },
  FETCH_MS_MAX,
);

describe.each(FOLDERS)('%s', (name) => {
  let rendered: Rendered;
  beforeAll(async () => {
    rendered = await Rendered.from(name);
  }, FETCH_MS_MAX);

  /** As the pod `quartet-2` would be configured, with a secret in the place of the one that is mounted. */
  async function configOf(pod: string): Promise<Config> {
    const environment = rendered.environmentOf(pod);
    const { name: volume, mountPath } = mountAt('/run/secrets/quartet');
    expect(rendered.pod.volumes.find((each) => each.name === volume)!.secret).toBeDefined();
    expect(environment['QUARTET_CLUSTER_SECRET_FILE']).toBe(`${mountPath}/cluster-secret`);
    const file = join(folder, 'cluster-secret');
    await writeFile(file, 'secret');
    return loadConfig({ ...environment, QUARTET_CLUSTER_SECRET_FILE: file });
  }

  function mountAt(path: string) {
    return rendered.replica.volumeMounts.find(({ mountPath }) => mountPath === path)!;
  }

  function portNamed(port: string): number {
    return rendered.replica.ports.find((each) => each.name === port)!.containerPort;
  }

  test.each(KUBERNETES_VERSIONS)(
    'is what the schemas of Kubernetes %s allow',
    async (version) => {
      const file = join(folder, `${version}.yaml`);
      await writeFile(file, rendered.text);
      const { status, output } = await validate(file, version);
      expect({ status, output }).toEqual({ status: 0, output: expect.stringContaining('statefulset/quartet') });
      expect(output.match(/passed for resource/g)).toHaveLength(rendered.names.length);
    },
    FETCH_MS_MAX,
  );

  test('has four replicas with stable names and a volume each, all in one namespace', () => {
    const { spec, metadata } = rendered.one('StatefulSet');
    expect(spec.replicas).toBe(4);
    expect(rendered.namespaces).toEqual(new Set([metadata.namespace]));
    expect(rendered.names).toContain(`Namespace/${metadata.namespace}`);
    const [claim] = spec.volumeClaimTemplates;
    expect(claim!.spec.accessModes).toEqual(['ReadWriteOnce']);
    expect(mountAt('/data').name).toBe(claim!.metadata.name);
  });

  test('selects its own pods, everywhere that something is selected', () => {
    const { spec } = rendered.one('StatefulSet');
    const selectors: Labels[] = [
      spec.selector.matchLabels,
      rendered.one('Service', 'quartet').spec.selector,
      rendered.one('Service', 'quartet-peers').spec.selector,
      rendered.one('PodDisruptionBudget').spec.selector.matchLabels,
      rendered.one('NetworkPolicy').spec.podSelector.matchLabels,
      ...spec.template.spec.topologySpreadConstraints.map(({ labelSelector }) => labelSelector.matchLabels),
    ];
    expect(selectors).toHaveLength(7);
    for (const selector of selectors) {
      expect(Object.keys(selector)).not.toEqual([]);
      expect(spec.template.metadata.labels).toMatchObject(selector);
    }
  });

  test('configures a replica that finds the others by the SRV records of the headless service, however many they are', async () => {
    const { spec, metadata } = rendered.one('StatefulSet');
    const headless = rendered.one('Service', spec.serviceName);
    expect(headless.spec).toMatchObject({ clusterIP: 'None', publishNotReadyAddresses: true });
    const [port] = headless.spec.ports;
    const domain = `${spec.serviceName}.${metadata.namespace}.svc.cluster.local`;
    expect(rendered.environmentOf('quartet-2')['QUARTET_PEERS_DNS']).toBe(`_${port!.name}._tcp.${domain}`);
    // As a name service of Kubernetes answers, for a pod that scaling has added too.
    const pods = Array.from({ length: 5 }, (_, i) => `${metadata.name}-${i}`);
    const records = pods.map((pod) => ({ name: `${pod}.${domain}`, port: port!.port, priority: 0, weight: 1 }));
    const members = await membersOf('_', { resolveSrv: () => Promise.resolve(records) });
    for (const [i, pod] of pods.entries()) {
      expect(await configOf(pod)).toMatchObject({ name: pod, url: members[i]!.url, findMembers: expect.anything() });
      expect(members[i]!.name).toBe(pod);
    }
  });

  test('has ports that agree: what replicas listen at, what the services lead to, what the policy opens', async () => {
    const { port, peerPort, host } = await configOf('quartet-0');
    expect({ host, port, peerPort }).toEqual({
      host: '0.0.0.0',
      port: portNamed('http'),
      peerPort: portNamed('peers'),
    });
    expect(rendered.one('Service', 'quartet').spec.ports).toEqual([{ name: 'http', port, targetPort: 'http' }]);
    expect(rendered.one('Service', 'quartet-peers').spec.ports).toEqual([
      { name: 'peers', port: peerPort, targetPort: 'peers' },
    ]);
  });

  test('lets only replicas to the port that /put_remote is taken at, and them to no other but the name service', () => {
    const { ingress, egress, policyTypes } = rendered.one('NetworkPolicy').spec;
    const replicas = [{ podSelector: rendered.one('StatefulSet').spec.selector }];
    const toPeers = [{ protocol: 'TCP', port: 'peers' }];
    expect(policyTypes).toEqual(['Ingress', 'Egress']);
    const toClients = ingress.filter(({ ports }) => !ports.some(({ port }) => port === 'peers'));
    expect(ingress.filter((rule) => !toClients.includes(rule))).toEqual([{ from: replicas, ports: toPeers }]);
    expect(toClients.map(({ ports }) => ports)).toEqual([[{ protocol: 'TCP', port: 'http' }]]);
    expect(egress).toHaveLength(2);
    expect(egress).toContainEqual({ to: replicas, ports: toPeers });
    expect(egress.flatMap(({ ports }) => ports.map(({ port }) => port)).sort()).toEqual([53, 53, 'peers']);
    // Without a port of their own, a policy could not tell replicas from clients.
    expect(rendered.environmentOf('quartet-0')).toHaveProperty('QUARTET_PEER_PORT');
  });

  test('asks whether a replica lives at /livez, and whether it may get requests at /readyz', async () => {
    const { startupProbe, livenessProbe, readinessProbe } = rendered.replica;
    const paths = [startupProbe, livenessProbe, readinessProbe].map(({ httpGet }) => [httpGet.path, httpGet.port]);
    expect(paths).toEqual([
      ['/livez', 'http'],
      ['/livez', 'http'],
      ['/readyz', 'http'],
    ]);
    const controller = await readFile('src/controllers/cluster/health.controller.ts', 'utf8');
    for (const [path] of paths) expect(controller).toContain(`@Get('${path!.slice(1)}')`);
    expect(startupProbe.periodSeconds * startupProbe.failureThreshold).toBeGreaterThanOrEqual(300);
    // Traffic has gone elsewhere before a replica stops taking it.
    const { leaveMs } = await configOf('quartet-0');
    expect(leaveMs).toBeGreaterThanOrEqual(1000);
  });

  test('gives a replica longer to stop than it takes at most', async () => {
    const { leaveMs } = await configOf('quartet-0');
    const stopMsMax = leaveMs + CLOSE_MS_MAX + HAND_OVER_MS_MAX + DRAIN_TIMEOUT_MS + CLOSE_STORE_MS;
    expect(rendered.pod.terminationGracePeriodSeconds * 1000).toBeGreaterThanOrEqual(stopMsMax);
  });

  test('meets the restricted pod security standard, which its namespace enforces', () => {
    const { metadata } = rendered.one('Namespace');
    expect(metadata.labels['pod-security.kubernetes.io/enforce']).toBe('restricted');
    const { pod, replica } = rendered;
    expect(pod.hostNetwork).toBeUndefined();
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    expect(replica.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(pod.automountServiceAccountToken).toBe(false);
    const volumes = pod.volumes.map(({ name: _name, ...source }) => Object.keys(source));
    expect(volumes).toEqual([['secret']]);
  });

  test('runs as the user of the image, who owns the volume', async () => {
    const user = /^USER (\d+):(\d+)$/m.exec(await readFile('Dockerfile', 'utf8'))!;
    const [uid, gid] = [Number(user[1]), Number(user[2])];
    expect(rendered.pod.securityContext).toMatchObject({ runAsUser: uid, runAsGroup: gid, fsGroup: gid });
    expect(mountAt('/run/secrets/quartet').readOnly).toBe(true);
  });

  // A Service named quartet would set QUARTET_PORT to an address, and a replica would not start.
  test('keeps the variables that Kubernetes makes of services away from the configuration', async () => {
    expect(rendered.pod.enableServiceLinks).toBe(false);
    const links = { QUARTET_PORT: 'tcp://10.0.0.1:5000', QUARTET_SERVICE_HOST: '10.0.0.1' };
    await expect(loadConfig(links)).rejects.toMatchObject({ problems: { length: 2 } });
  });

  test('requests what a replica needs, and lets one at a time be evicted', () => {
    const { requests, limits } = rendered.replica.resources;
    expect(requests).toEqual({ cpu: expect.any(String), memory: expect.any(String) });
    expect(limits).toEqual({ memory: expect.any(String) });
    expect(rendered.one('PodDisruptionBudget').spec.maxUnavailable).toBe(1);
    expect(rendered.one('StatefulSet').spec).toMatchObject({
      podManagementPolicy: 'Parallel',
      updateStrategy: { type: 'RollingUpdate' },
    });
  });

  test('lets a replica have the memory that the README says it takes under load', async () => {
    const [, megabytes] = /up to (\d+) MB under load/.exec(await readFile('README.md', 'utf8'))!;
    expect(quantity(rendered.replica.resources.limits['memory']!)).toBeGreaterThan(Number(megabytes) * 1e6);
  });

  test('spreads the replicas over machines and zones', () => {
    const keys = rendered.pod.topologySpreadConstraints.map(({ topologyKey }) => topologyKey);
    expect(keys).toEqual(['kubernetes.io/hostname', 'topology.kubernetes.io/zone']);
  });

  test('runs the image of this release', async () => {
    const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string };
    expect(rendered.replica.image).toBe(`quartet:${version}`);
  });

  test(`has ${DEVELOPMENT.includes(name) ? 'a secret that says that it is for development' : 'no secret: its owner must give one'}`, () => {
    if (DEVELOPMENT.includes(name)) {
      const secret = rendered.one('Secret', rendered.secretName).data['cluster-secret']!;
      expect(Buffer.from(secret, 'base64').toString()).toMatch(/^development-only/);
    } else {
      expect(rendered.names.filter((each) => each.startsWith('Secret/'))).toEqual([]);
    }
  });
});

describe.each(FOLDERS)('k8s/restore.yaml, over %s', (name) => {
  let set: Rendered;
  let waiting: Rendered;
  let started: Rendered;
  beforeAll(async () => {
    const scratch = await mkdtemp(join(folder, 'restore-'));
    const restore = parse(await readFile('k8s/restore.yaml', 'utf8')) as object;
    const [, start] = /--patch '(.+)'/.exec(await readFile('README.md', 'utf8'))!;
    set = await Rendered.from(name);
    waiting = await Rendered.patched(name, [restore], join(scratch, 'waiting'));
    started = await Rendered.patched(name, [restore, JSON.parse(start!) as object], join(scratch, 'started'));
  }, FETCH_MS_MAX);

  test(
    'is what the schemas of Kubernetes allow',
    async () => {
      const file = join(folder, 'restore.yaml');
      await writeFile(file, waiting.text);
      for (const version of KUBERNETES_VERSIONS) {
        const { status, output } = await validate(file, version);
        expect({ status, output }).toEqual({ status: 0, output: expect.stringContaining('statefulset/quartet') });
      }
    },
    FETCH_MS_MAX,
  );

  test('restores into a volume of the size and class of the set, by the image of the set', () => {
    const { command, ...container } = waiting.replica;
    expect(command).toEqual(['node', '-e', expect.any(String)]);
    expect(container).toEqual(set.replica);
    expect(waiting.one('StatefulSet').spec.volumeClaimTemplates).toEqual(
      set.one('StatefulSet').spec.volumeClaimTemplates,
    );
  });

  test('has the first pod alone, and so has the set, as it was, that the README makes of it then', () => {
    expect(waiting.one('StatefulSet').spec.replicas).toBe(1);
    const { spec } = set.one('StatefulSet');
    expect(started.one('StatefulSet').spec).toEqual({ ...spec, replicas: 1 });
  });

  test('has a pod that is alive and ready and serves nobody, until it is told to stop', async () => {
    const { command, startupProbe, livenessProbe, readinessProbe } = waiting.replica;
    const port = await freePort();
    const env = { ...process.env, ...waiting.environmentOf('quartet-0'), QUARTET_PORT: String(port) };
    const pod = spawn(process.execPath, command!.slice(1), { env, stdio: 'ignore' });
    const ended = once(pod, 'exit');
    try {
      const statusOf = async (path: string): Promise<number> => (await fetch(`http://127.0.0.1:${port}${path}`)).status;
      await until('it answers', () => statusOf('/').then(Boolean, () => false));
      for (const { httpGet } of [startupProbe, livenessProbe, readinessProbe]) {
        expect(await statusOf(httpGet.path)).toBe(200);
      }
      expect(await statusOf('/v1/kv/greeting')).toBe(503);
    } finally {
      pod.kill('SIGTERM');
    }
    expect(await ended).toEqual([0, null]);
  });
});

test('compose gives a replica longer to stop than it takes at most', async () => {
  const compose = await readFile('docker-compose.yml', 'utf8');
  const graceSeconds = Number(/stop_grace_period: (\d+)s/.exec(compose)![1]);
  const stopMsMax = CLOSE_MS_MAX + HAND_OVER_MS_MAX + DRAIN_TIMEOUT_MS + CLOSE_STORE_MS;
  expect(graceSeconds * 1000).toBeGreaterThanOrEqual(stopMsMax);
});

test('production is larger than the base, development smaller, and only production waits rather than spread unevenly', async () => {
  const [base, development, production] = await Promise.all(FOLDERS.map((each) => Rendered.from(each)));
  const bytesOf = (rendered: Rendered): readonly number[] => {
    const { requests, limits } = rendered.replica.resources;
    const [claim] = rendered.one('StatefulSet').spec.volumeClaimTemplates;
    return [requests['memory']!, limits['memory']!, claim!.spec.resources.requests.storage].map(quantity);
  };
  for (const place of [0, 1, 2]) {
    expect(bytesOf(development!)[place]).toBeLessThan(bytesOf(base!)[place]!);
    expect(bytesOf(production!)[place]).toBeGreaterThan(bytesOf(base!)[place]!);
  }
  const onMachines = [base, development, production].map(
    (each) => each!.pod.topologySpreadConstraints[0]!.whenUnsatisfiable,
  );
  expect(onMachines).toEqual(['ScheduleAnyway', 'ScheduleAnyway', 'DoNotSchedule']);
  expect(development!.one('StatefulSet').metadata.namespace).not.toBe(base!.one('StatefulSet').metadata.namespace);
});

test('production mounts no secret that a file here makes, but the one that the README has its owner make', async () => {
  const [production, ...others] = await Promise.all([...FOLDERS].reverse().map((each) => Rendered.from(each)));
  const placeOf = (rendered: Rendered): string =>
    `${rendered.one('StatefulSet').metadata.namespace}/${rendered.secretName}`;
  expect(others.map(placeOf)).not.toContain(placeOf(production!));
  for (const file of ['README.md', 'k8s/overlays/production/kustomization.yaml']) {
    const [, namespace, name] = /--namespace (\S+) create secret generic (\S+)/.exec(await readFile(file, 'utf8'))!;
    expect(`${namespace}/${name}`).toBe(placeOf(production!));
  }
});

test('the production overlay says itself how many replicas there are, and of which release', async () => {
  const file = await readFile('k8s/overlays/production/kustomization.yaml', 'utf8');
  const { images, replicas } = parse(file) as { images: object[]; replicas: object[] };
  expect(images).toEqual([expect.objectContaining({ name: 'quartet', newTag: expect.any(String) })]);
  expect(replicas).toEqual([{ name: 'quartet', count: 4 }]);
});

function quantity(text: string): number {
  const [, figure, unit] = /^(\d+)(Mi|Gi)$/.exec(text)!;
  return Number(figure) * (unit === 'Gi' ? 2 ** 30 : 2 ** 20);
}
