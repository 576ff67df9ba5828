// Do imports run one way? The rules stand in `.dependency-cruiser.js`; here they are held against a copy of the
// tree, into which a violation of each of them is planted. A check that never failed is a decoration.

import { beforeAll, describe, expect, test } from '@jest/globals';
import { plantedTree, runTool } from '../support/planted-tree.js';

const SCRIPT = 'dependency-cruiser/bin/dependency-cruise.mjs';

interface Summary {
  readonly violations: readonly Violation[];
  readonly ruleSetUsed: { readonly forbidden: readonly { readonly name: string; readonly comment?: string }[] };
}

interface Violation {
  readonly rule: { readonly name: string };
  readonly from: string;
  readonly to: string;
}

/** A rule, the file that breaks it, and what stands in that file. */
const PLANTS: readonly (readonly [rule: string, file: string, code: string])[] = [
  [
    'clock-imports-only-clock',
    'src/clock/planted-a.ts',
    "import type { Store } from '../store/store.port.js';\nexport type A = Store;",
  ],
  [
    'clock-imports-only-clock',
    'src/clock/planted-b.ts',
    "import { crc32 } from 'node:zlib';\nexport const b = crc32('');",
  ],
  [
    'ports-import-only-clock-and-messages',
    'src/store/planted.port.ts',
    "import type { NodeRecord } from './record-codec.js';\nexport type P = NodeRecord;",
  ],
  [
    'engine-imports-only-clock-and-ports',
    'src/replication/engine/planted-a.ts',
    "import type { ReplicaStore } from '../../store/replica-store.js';\nexport type A = ReplicaStore;",
  ],
  [
    'engine-imports-only-clock-and-ports',
    'src/replication/engine/planted-b.ts',
    "import { Subject } from 'rxjs';\nexport const b = new Subject();",
  ],
  [
    'pure-code-reaches-only-pure-code',
    'src/replication/engine/planted-c.ts',
    "import { d } from './planted-d.js';\nexport const c = d;",
  ],
  [
    'pure-code-reaches-only-pure-code',
    'src/replication/engine/planted-d.ts',
    "import { randomUUID } from 'node:crypto';\nexport const d = randomUUID();",
  ],
  [
    'pure-code-reaches-only-pure-code',
    'src/clock/planted-e.ts',
    "import type { Level } from 'classic-level';\nexport type E = Level;",
  ],
  [
    'codec-imports-only-clock',
    'src/codec/planted.ts',
    "import { NODE_KEY } from '../store/keyspace.js';\nexport const a = NODE_KEY;",
  ],
  [
    'codec-is-for-disk-wire-and-tokens',
    'src/replication/planted-a.ts',
    "import { BinaryWriter } from '../codec/binary-writer.js';\nexport const a = BinaryWriter;",
  ],
  [
    'codec-is-for-disk-wire-and-tokens',
    'src/observability/planted-a.ts',
    "import { BinaryWriter } from '../codec/binary-writer.js';\nexport const a = BinaryWriter;",
  ],
  [
    'store-imports-only-clock-and-codec',
    'src/store/planted-a.ts',
    "import type { Batch } from '../replication/engine/messages.js';\nexport type A = Batch;",
  ],
  [
    'cluster-imports-only-clock',
    'src/cluster/planted.ts',
    "import type { ReplicaDriver } from '../replication/replica-driver.js';\nexport type A = ReplicaDriver;",
  ],
  [
    'driver-knows-ports-not-adapters',
    'src/replication/planted-b.ts',
    "import { encodeRequest } from './transport/message-codec.js';\nexport const a = encodeRequest;",
  ],
  [
    'driver-knows-ports-not-adapters',
    'src/replication/planted-c.ts',
    "import { MemoryStore } from '../store/memory/memory-store.js';\nexport const a = MemoryStore;",
  ],
  [
    'transport-carries-messages-only',
    'src/replication/transport/planted-a.ts',
    "import { Replica } from '../engine/replica.js';\nexport const a = Replica;",
  ],
  [
    'transport-carries-messages-only',
    'src/replication/transport/planted-b.ts',
    "import { ReplicaStore } from '../../store/replica-store.js';\nexport const a = ReplicaStore;",
  ],
  ['controllers-are-for-composition', 'src/observability/planted-b.ts', "import '../controllers/planted-z.js';"],
  ['controllers-are-for-composition', 'src/replication/planted-d.ts', "import '../controllers/planted-z.js';"],
  ['observability-is-not-for-the-core', 'src/replication/planted-e.ts', "import '../observability/planted-z.js';"],
  ['config-is-for-composition', 'src/controllers/planted-a.ts', "import '../config/planted-z.js';"],
  ['composition-is-imported-by-nobody-below', 'src/controllers/planted-b.ts', "import '../app.module.js';"],
  ['main-is-imported-by-nobody', 'src/config/planted-a.ts', "import '../main.js';"],
  [
    'store-adapters-are-wired-by-modules',
    'src/controllers/planted-c.ts',
    "import { LevelStore } from '../store/level/level-store.js';\nexport const a = LevelStore;",
  ],
  [
    'store-adapters-are-wired-by-modules',
    'src/store/planted-b.ts',
    "import { MemoryStore } from './memory/memory-store.js';\nexport const a = MemoryStore;",
  ],
  [
    'store-adapters-import-their-port',
    'src/store/level/planted-a.ts',
    "import { NODE_KEY } from '../keyspace.js';\nexport const a = NODE_KEY;",
  ],
  [
    'controllers-see-views-not-the-store',
    'src/controllers/planted-d.ts',
    "import { ReplicaStore } from '../store/replica-store.js';\nexport const a = ReplicaStore;",
  ],
  [
    'controllers-and-observability-take-types-of-the-engine',
    'src/controllers/planted-e.ts',
    "import { Replica } from '../replication/engine/replica.js';\nexport const a = Replica;",
  ],
  [
    'only-level-imports-classic-level',
    'src/store/planted-c.ts',
    "import { ClassicLevel } from 'classic-level';\nexport const a = ClassicLevel;",
  ],
  [
    'only-level-imports-classic-level',
    'src/replication/planted-f.ts',
    "import type { ClassicLevel } from 'classic-level';\nexport type A = ClassicLevel;",
  ],
  [
    'only-transport-imports-axios',
    'src/controllers/planted-f.ts',
    "import axios from 'axios';\nexport const a = axios;",
  ],
  [
    'only-transport-imports-axios',
    'src/cluster/planted-b.ts',
    "import { HttpService } from '@nestjs/axios';\nexport const a = HttpService;",
  ],
  [
    'the-core-has-no-framework',
    'src/replication/planted-g.ts',
    "import { Injectable } from '@nestjs/common';\nexport const a = Injectable;",
  ],
  [
    'the-core-has-no-framework',
    'src/store/planted-d.ts',
    "import { firstValueFrom } from 'rxjs';\nexport const a = firstValueFrom;",
  ],
  [
    'no-circular-import',
    'src/controllers/planted-g.ts',
    "import { h } from './planted-h.js';\nexport const g = (): unknown => h;",
  ],
  ['no-barrel', 'src/controllers/planted-i.ts', "import './planted/index.js';"],
  ['no-test-in-production', 'src/controllers/planted-j.ts', "import '../../test/planted.js';"],
  ['no-undeclared-package', 'src/controllers/planted-k.ts', "import fc from 'fast-check';\nexport const a = fc;"],
  ['no-unresolvable-import', 'src/controllers/planted-l.ts', "import './not-there.js';"],
];

/** What the planted files import, harmless by itself. */
const BYSTANDERS: Record<string, string> = {
  'src/controllers/planted-h.ts': "import { g } from './planted-g.js';\nexport const h = (): unknown => g;",
  'src/controllers/planted-z.ts': 'export {};',
  'src/observability/planted-z.ts': 'export {};',
  'src/config/planted-z.ts': 'export {};',
  'src/controllers/planted/index.ts': 'export {};',
  'test/planted.ts': 'export {};',
};

async function cruise(folder: string): Promise<Summary> {
  const result = await runTool(folder, SCRIPT, ['--config', '.dependency-cruiser.js', '--output-type', 'json', 'src']);
  if (result.stdout === '') throw new Error(result.stderr);
  return (JSON.parse(result.stdout) as { summary: Summary }).summary;
}

describe('The check of imports', () => {
  let violations: Summary['violations'];
  let rules: Summary['ruleSetUsed']['forbidden'];

  beforeAll(async () => {
    const files = Object.fromEntries(PLANTS.map(([, file, code]) => [file, code]));
    const copied = ['src', 'package.json', 'tsconfig.json', '.dependency-cruiser.js'];
    const folder = await plantedTree(copied, { ...BYSTANDERS, ...files });
    try {
      ({
        violations,
        ruleSetUsed: { forbidden: rules },
      } = await cruise(folder.path));
    } finally {
      await folder.remove();
    }
  });

  test.each(PLANTS)('reports %s in %s', (rule, file) => {
    expect(violations.filter(({ from }) => from === file).map(({ rule }) => rule.name)).toContain(rule);
  });

  test('has been seen to fail by every one of its rules', () => {
    const planted = new Set(PLANTS.map(([rule]) => rule));
    expect([...planted].sort()).toEqual(rules.map(({ name }) => name).sort());
  });

  test('says of every rule why it is there', () => {
    for (const { name, comment } of rules) expect([name, (comment ?? '').length > 20]).toEqual([name, true]);
  });

  test('reports nothing else: in this tree they run one way, and reach nobody’s internals', () => {
    const planted = new Set(PLANTS.map(([, file]) => file));
    // Two of them import each other through a bystander.
    const others = violations.filter(({ from, to }) => !planted.has(from) && !planted.has(to));
    expect(others.map(({ rule, from, to }) => `${from} → ${to} (${rule.name})`)).toEqual([]);
  });
});
