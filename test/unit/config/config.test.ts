import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ConfigError, loadConfig, type Config } from '../../../src/config/config.js';
import { temporaryFolder, type TemporaryFolder } from '../../support/temporary-folder.js';

let folder: TemporaryFolder;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());

async function file(name: string, content: string): Promise<string> {
  const path = join(folder.path, name);
  await writeFile(path, content);
  return path;
}

/** With a name, so that no test depends on the host's. */
function load(environment: Record<string, string> = {}): Promise<Config> {
  return loadConfig({ QUARTET_NAME: 'n1', ...environment });
}

async function problemsOf(environment: Record<string, string>): Promise<readonly string[]> {
  const error: unknown = await load(environment).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ConfigError);
  return (error as ConfigError).problems;
}

describe('a configuration', () => {
  it('without any variable is that of one replica on the loopback, which keeps everything on disk', async () => {
    expect(await load()).toEqual({
      name: 'n1',
      host: '127.0.0.1',
      port: 5000,
      url: undefined,
      data: './data/n1',
      peers: [],
      durability: 'fsync',
      logMax: 1_000_000,
      feedRetentionSeconds: 3600,
      feedReadersMax: 1000,
      resolve: 'order',
      clusterSecret: undefined,
      valueBytesMax: 1024 * 1024,
      bodyBytesMax: 128 * 1024 * 1024,
      requestTimeoutMs: 30_000,
      leaveMs: 0,
      scrubKeysPerSecond: 250,
      requestsKeptMs: 86_400_000,
      diskFreeBytesMin: 64 * 1024 * 1024,
    });
  });

  it('takes every setting from its variable', async () => {
    const config = await load({
      QUARTET_NAME: 'n2',
      QUARTET_HOST: '0.0.0.0',
      QUARTET_PORT: '6000',
      QUARTET_DATA: '/var/lib/quartet',
      QUARTET_PEERS: 'n1=http://a:5000,n2=http://b:6000',
      QUARTET_URL: 'http://n2.example:6001/',
      QUARTET_DURABILITY: 'may-lose-writes-on-power-loss',
      QUARTET_RESOLVE: 'latest',
      QUARTET_CLUSTER_SECRET: 'secret',
      QUARTET_VALUE_MAX_BYTES: '2048',
      QUARTET_BODIES_MAX_BYTES: '4096',
      QUARTET_REQUEST_TIMEOUT_MS: '1000',
      QUARTET_PEER_PORT: '6001',
      QUARTET_LEAVE_MS: '3000',
      QUARTET_SCRUB_KEYS_PER_SECOND: '7',
      QUARTET_IDEMPOTENCY_SECONDS: '9',
      QUARTET_DISK_FREE_MIN_BYTES: '0',
      QUARTET_LOG_MAX_ENTRIES: '5000',
      QUARTET_FEED_RETENTION_SECONDS: '60',
      QUARTET_FEED_READERS_MAX: '10',
    });
    expect(config).toEqual({
      name: 'n2',
      host: '0.0.0.0',
      port: 6000,
      url: 'http://n2.example:6001',
      data: '/var/lib/quartet',
      peers: [{ name: 'n1', url: 'http://a:5000', isNamed: true }],
      durability: 'may-lose-writes-on-power-loss',
      logMax: 5000,
      feedRetentionSeconds: 60,
      feedReadersMax: 10,
      resolve: 'latest',
      clusterSecret: 'secret',
      valueBytesMax: 2048,
      bodyBytesMax: 4096,
      requestTimeoutMs: 1000,
      peerPort: 6001,
      leaveMs: 3000,
      scrubKeysPerSecond: 7,
      requestsKeptMs: 9000,
      diskFreeBytesMin: 0,
    });
  });

  it('takes an empty variable for one that is not set', async () => {
    expect(await load({ QUARTET_PORT: '', QUARTET_PEERS: '', QUARTET_CLUSTER_SECRET: '' })).toEqual(await load());
  });

  it('ignores the variables of others', async () => {
    expect(await load({ PATH: '/bin', QUARTETT_PORT: '1', port: '2' })).toEqual(await load());
  });

  it('has a name that is valid even when the host’s is not set', async () => {
    expect((await loadConfig({})).name).toMatch(/^[a-z0-9-]{1,63}$/);
  });

  it('reports all errors at once', async () => {
    const problems = await problemsOf({
      QUARTET_NAME: 'N 1',
      QUARTET_PORT: '65536',
      QUARTET_RESOLVE: 'newest',
      QUARTET_DURABILITY: 'none',
      QUARTET_PEERS: 'nonsense',
      QUARTET_REQUEST_TIMEOUT_MS: '1s',
      QUARTET_PROT: '5000',
    });
    expect(problems).toHaveLength(7);
    for (const name of ['NAME', 'PORT', 'RESOLVE', 'DURABILITY', 'PEERS', 'REQUEST_TIMEOUT_MS', 'PROT']) {
      expect(problems.filter((problem) => problem.startsWith(`QUARTET_${name}`))).toHaveLength(1);
    }
    await expect(load({ QUARTET_PORT: 'x', QUARTET_RESOLVE: 'y' })).rejects.toThrow(/QUARTET_PORT[^]*QUARTET_RESOLVE/);
  });

  it('refuses a QUARTET_ name that it does not know, and lists those it does', async () => {
    const [problem] = await problemsOf({ QUARTET_PEER: 'n2=http://b:5000' });
    expect(problem).toMatch(/^QUARTET_PEER is not a setting/);
    expect(problem).toContain('QUARTET_PEERS');
  });

  it('knows exactly the names that docs/api.md lists', async () => {
    const [problem] = await problemsOf({ QUARTET_X: '1' });
    const known = problem!.match(/QUARTET_\w+/g)!.filter((name) => name !== 'QUARTET_X');
    const text = await readFile('docs/api.md', 'utf8');
    const section = text.slice(text.indexOf('## Configuration'));
    const documented = section
      .split('\n')
      .filter((line) => line.startsWith('| `QUARTET_'))
      .join('\n');
    expect([...new Set(documented.match(/QUARTET_\w+/g))].sort()).toEqual([...new Set(known)].sort());
  });

  it.each([
    ['PORT', ['0', '65536', '-1', '5000.5', '5e3', '0x1388', ' 5000', 'http']],
    ['NAME', ['N1', 'a.b', 'a_b', 'a'.repeat(64), 'é', ' n1']],
    ['RESOLVE', ['Order', 'order,latest', 'newest']],
    [
      'DURABILITY',
      [
        'none',
        'FSYNC',
        'relaxed',
        'may-lose-writes',
        'may-lose-writes-on-power-loss ',
        'may_lose_writes_on_power_loss',
      ],
    ],
    [
      'URL',
      [
        'a:5000',
        'ftp://a:5000',
        'http://a:5000/path',
        'http://a:5000?x',
        'http://a#x',
        'http://u@a',
        'http://',
        'http://a,http://b',
        'none',
      ],
    ],
    ['LOG_MAX_ENTRIES', ['-1', '1e6', 'all']],
    ['FEED_RETENTION_SECONDS', ['-1', '2592001', '1h']],
    ['FEED_READERS_MAX', ['-1', '100001', 'many']],
    ['VALUE_MAX_BYTES', ['0', '16777217', '1MiB']],
    ['REQUEST_TIMEOUT_MS', ['99', '600001']],
    ['PEER_PORT', ['0', '65536', 'http']],
    ['LEAVE_MS', ['-1', '60001', '5s']],
    ['DISK_FREE_MIN_BYTES', ['-1', '99999999999999999']],
  ])('refuses a QUARTET_%s that makes no sense, and names it', async (name, values) => {
    for (const value of values) {
      const problems = await problemsOf({ [`QUARTET_${name}`]: value });
      expect(problems).toHaveLength(1);
      expect(problems[0]).toContain(`QUARTET_${name}="${value}"`);
    }
  });
});

describe('where other replicas reach this one', () => {
  it('is its own entry among the members', async () => {
    const peers = 'n1=http://own.example:5000/,n2=http://b:5000';
    expect((await load({ QUARTET_PEERS: peers })).url).toBe('http://own.example:5000');
    const path = await file('machines-with-itself.txt', peers.replace(',', '\n'));
    expect((await load({ QUARTET_MACHINES: path })).url).toBe('http://own.example:5000');
  });

  it('is what QUARTET_URL says, whatever that entry says', async () => {
    const config = await load({ QUARTET_PEERS: 'n1=http://a:5000', QUARTET_URL: 'https://elsewhere.example' });
    expect(config.url).toBe('https://elsewhere.example');
  });

  it.each([
    ['http://N1.example:80', 'http://n1.example'],
    ['https://n1.example:443/', 'https://n1.example'],
    ['http://N1.example:5000', 'http://n1.example:5000'],
  ])('may be written as among the members: %s', async (text, url) => {
    expect((await load({ QUARTET_URL: text })).url).toBe(url);
    expect((await load({ QUARTET_PEERS: `n1=${text}` })).url).toBe(url);
  });

  it('is no peer of its own when the members are bare addresses', async () => {
    const environment = { QUARTET_HOST: '0.0.0.0', QUARTET_PEERS: 'http://10.0.0.1:5000,http://10.0.0.2:5000' };
    const { url, peers } = await load({ ...environment, QUARTET_URL: 'http://10.0.0.1:5000/' });
    expect(url).toBe('http://10.0.0.1:5000');
    expect(peers.map((peer) => peer.url)).toEqual(['http://10.0.0.2:5000']);
  });

  it('is at the port for replicas, where there is one: a bare entry of that address is its own', async () => {
    const environment = { QUARTET_PORT: '5000', QUARTET_PEER_PORT: '6000' };
    const peers = 'http://127.0.0.1:5000,http://127.0.0.1:6000';
    expect((await load({ ...environment, QUARTET_PEERS: peers })).peers.map(({ url }) => url)).toEqual([
      'http://127.0.0.1:5000',
    ]);
    expect(await problemsOf({ ...environment, QUARTET_PEER_PORT: '5000' })).toEqual([
      expect.stringMatching(/^QUARTET_PEER_PORT must not be QUARTET_PORT/),
    ]);
  });

  it('is not known where nothing says so', async () => {
    // An address without a name may be anybody's.
    for (const peers of ['', 'n2=http://b:5000', 'http://127.0.0.1:5000,http://b:5000']) {
      expect((await load({ QUARTET_PEERS: peers })).url).toBeUndefined();
    }
  });
});

describe('the cluster secret', () => {
  it('is read from a file, without the line end that editors add', async () => {
    const path = await file('secret', 'from the file\n');
    expect((await load({ QUARTET_CLUSTER_SECRET_FILE: path })).clusterSecret).toBe('from the file');
  });

  it('is refused when it is set twice, its file is empty, or cannot be read', async () => {
    const path = await file('secret', 'x');
    expect(await problemsOf({ QUARTET_CLUSTER_SECRET: 'y', QUARTET_CLUSTER_SECRET_FILE: path })).toHaveLength(1);
    expect(await problemsOf({ QUARTET_CLUSTER_SECRET_FILE: await file('empty', ' \n') })).toHaveLength(1);
    const [problem] = await problemsOf({ QUARTET_CLUSTER_SECRET_FILE: join(folder.path, 'nowhere') });
    expect(problem).toMatch(/^QUARTET_CLUSTER_SECRET_FILE: .*nowhere/);
  });

  it.each([' leading', 'trailing ', 'a\nb', 'schl\u00fcssel', '\u20ac'])(
    'is refused when no header can carry it unchanged: %j',
    async (secret) => {
      const problems = await problemsOf({ QUARTET_CLUSTER_SECRET: secret });
      expect(problems).toHaveLength(1);
      expect(problems[0]).toMatch(/^QUARTET_CLUSTER_SECRET/);
      // An error goes to a log; a secret does not.
      expect(problems[0]).not.toContain(secret.trim());
    },
  );
});

describe('the members', () => {
  it('come from a file where QUARTET_MACHINES names one', async () => {
    const path = await file('machines.txt', '# all of us\nn1=http://a:5000\nn2=http://b:5000 # the other\n\n');
    expect((await load({ QUARTET_MACHINES: path })).peers).toEqual([
      { name: 'n2', url: 'http://b:5000', isNamed: true },
    ]);
  });

  it('are refused when they are said twice', async () => {
    const path = await file('machines.txt', 'n2=http://b:5000');
    const problems = await problemsOf({ QUARTET_MACHINES: path, QUARTET_PEERS: 'n2=http://b:5000' });
    expect(problems).toEqual([expect.stringMatching(/QUARTET_PEERS, QUARTET_MACHINES and QUARTET_PEERS_DNS/)]);
    const both = { QUARTET_PEERS_DNS: 'peers.example', QUARTET_URL: 'http://n1:5000', QUARTET_MACHINES: path };
    expect(await problemsOf(both)).toHaveLength(1);
  });

  it('are asked for by QUARTET_PEERS_DNS, of a node that can say where it is', async () => {
    expect((await load()).findMembers).toBeUndefined();
    const config = await load({ QUARTET_PEERS_DNS: 'peers.example', QUARTET_URL: 'http://n1:5000' });
    expect(config).toMatchObject({ peers: [], findMembers: expect.any(Function) });
    expect(await problemsOf({ QUARTET_PEERS_DNS: 'peers.example' })).toEqual([expect.stringMatching(/^QUARTET_URL/)]);
  });

  it('are refused with the name of the file that cannot be read', async () => {
    const path = join(folder.path, 'nowhere.txt');
    expect(await problemsOf({ QUARTET_MACHINES: path })).toEqual([expect.stringContaining(path)]);
  });
});
