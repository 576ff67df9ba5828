// Who may import whom? Imports run one way:
//
//     clock ← ports ← replication/engine ← replica-driver ← controllers ← app.module ← main
//
// and adapters import their port. Each rule says why, and what to do instead. docs: DESIGN, "Layout".

const CLOCK = '^src/clock/';
const CODEC = '^src/codec/';
const ENGINE = '^src/replication/engine/';
const PORT = '\\.port\\.ts$';
const MESSAGES = '^src/replication/engine/messages\\.ts$';
const COMPOSITION = '^src/(main|application|app\\.module)\\.ts$';
const CLI = '^src/cli/';
const MODULE = '\\.module\\.ts$';
const anyOf = (...patterns) => patterns.join('|');

/** @type {import('dependency-cruiser').IForbiddenRuleType[]} */
const direction = [
  {
    name: 'clock-imports-only-clock',
    comment: 'Causality depends on nothing: what it needs from outside is an argument.',
    from: { path: CLOCK },
    to: { pathNot: CLOCK },
  },
  {
    name: 'ports-import-only-clock-and-messages',
    comment:
      'A port says what is needed, not who provides it: describe it with types of clock/ and messages of the engine.',
    from: { path: PORT },
    to: { pathNot: anyOf(CLOCK, MESSAGES, PORT) },
  },
  {
    name: 'engine-imports-only-clock-and-ports',
    comment: 'The protocol is a value: what it needs comes with the input, what it wants done goes into the output.',
    from: { path: ENGINE },
    to: { pathNot: anyOf(CLOCK, ENGINE, PORT) },
  },
  {
    name: 'pure-code-reaches-only-pure-code',
    comment: 'clock/, replication/engine/ and ports run anywhere: no package, no Node module, however indirectly.',
    from: { path: anyOf(CLOCK, ENGINE, PORT) },
    to: { pathNot: anyOf(CLOCK, ENGINE, PORT), reachable: true },
  },
  {
    name: 'codec-imports-only-clock',
    comment: 'A layout of bytes knows the values it lays out, and nothing of who stores or sends them.',
    from: { path: CODEC },
    to: { path: '^src/', pathNot: anyOf(CLOCK, CODEC) },
  },
  {
    name: 'codec-is-for-disk-wire-and-tokens',
    comment: 'Bytes are the business of the store, the transport and the HTTP edge; others pass values.',
    from: { path: '^src/', pathNot: '^src/(codec|store|replication/transport|controllers)/' },
    to: { path: CODEC },
  },
  {
    name: 'store-imports-only-clock-and-codec',
    comment: 'The store keeps what it is given: it knows neither protocol nor HTTP.',
    from: { path: '^src/store/' },
    to: { path: '^src/', pathNot: anyOf(CLOCK, CODEC, '^src/store/') },
  },
  {
    name: 'cluster-imports-only-clock',
    comment: 'Who the peers are is found out before anything talks to them.',
    from: { path: '^src/cluster/' },
    to: { path: '^src/', pathNot: anyOf(CLOCK, '^src/cluster/') },
  },
  {
    name: 'driver-knows-ports-not-adapters',
    comment: 'The driver runs in simulation too: give it a Store, PeerTransport or Time through its constructor.',
    from: { path: '^src/replication/[^/]+\\.ts$', pathNot: MODULE },
    to: {
      path: '^src/',
      pathNot: anyOf(CLOCK, ENGINE, PORT, '^src/replication/[^/]+\\.ts$', '^src/store/[^/]+\\.ts$'),
    },
  },
  {
    name: 'transport-carries-messages-only',
    comment: 'It encodes, sends, and hands to the driver.',
    from: { path: '^src/replication/transport/' },
    to: {
      path: '^src/',
      pathNot: anyOf(
        CLOCK,
        CODEC,
        MESSAGES,
        PORT,
        '^src/(replication/transport|cluster)/',
        '^src/replication/replica-driver\\.ts$',
      ),
    },
  },
  {
    name: 'controllers-are-for-composition',
    comment: 'The HTTP edge is the outermost layer: nothing below it may need it.',
    from: { path: '^src/', pathNot: anyOf('^src/controllers/', COMPOSITION) },
    to: { path: '^src/controllers/' },
  },
  {
    name: 'observability-is-not-for-the-core',
    comment: 'The core reports through DriverEvents and observations; only the edge and the composition count and log.',
    from: { path: '^src/', pathNot: anyOf('^src/(observability|controllers)/', COMPOSITION) },
    to: { path: '^src/observability/' },
  },
  {
    name: 'config-is-for-composition',
    comment: 'The composition root reads the configuration and hands each module the options it declares.',
    from: { path: '^src/', pathNot: anyOf('^src/(config|cli)/', COMPOSITION) },
    to: { path: '^src/config/' },
  },
  {
    name: 'composition-is-imported-by-nobody-below',
    comment: 'app.module and application put things together; main starts them. Nobody else may need them.',
    from: { path: '^src/', pathNot: COMPOSITION },
    to: { path: COMPOSITION },
  },
  {
    name: 'main-is-imported-by-nobody',
    comment: 'Importing main starts a node: import application instead. The commands of cli/ are another beginning.',
    from: { pathNot: CLI },
    to: { path: anyOf('^src/main\\.ts$', CLI) },
  },
];

/** @type {import('dependency-cruiser').IForbiddenRuleType[]} */
const internals = [
  {
    name: 'store-adapters-are-wired-by-modules',
    comment: 'Depend on the port, or on ReplicaStore; only store.module, main and cli know which database it is.',
    from: {
      path: '^src/',
      pathNot: anyOf('^src/store/(level|memory)/', '^src/store/store\\.module\\.ts$', COMPOSITION, CLI),
    },
    to: { path: '^src/store/(level|memory)/', pathNot: '/disk-space\\.ts$' },
  },
  {
    name: 'store-adapters-import-their-port',
    comment: 'An adapter knows bytes under bytes, not what they mean.',
    from: { path: '^src/store/(level|memory)/' },
    to: {
      path: '^src/',
      pathNot: anyOf(CLOCK, '^src/store/(store\\.port|errors)\\.ts$', '^src/store/(level|memory)/'),
    },
  },
  {
    name: 'controllers-see-views-not-the-store',
    comment:
      'Read through the driver and its CommittedView; write through the driver. Errors may be named to map them.',
    from: { path: '^src/controllers/' },
    to: { path: '^src/store/', pathNot: '^src/store/(committed-view|record-codec|errors)\\.ts$' },
  },
  {
    name: 'controllers-and-observability-take-types-of-the-engine',
    comment: 'Only the driver runs the engine: import type, or ask the driver.',
    from: { path: '^src/(controllers|observability)/' },
    to: { path: ENGINE, dependencyTypesNot: ['type-only'] },
  },
  {
    name: 'only-level-imports-classic-level',
    comment: 'Nobody else knows which database it is: use the Store port.',
    from: { path: '^src/', pathNot: '^src/store/level/' },
    to: { path: '(^|/)node_modules/(classic-level|abstract-level)/' },
  },
  {
    name: 'only-transport-imports-axios',
    comment: 'Peers are reached through the PeerTransport port. (replication.module wires the client.)',
    from: {
      path: '^src/',
      pathNot: anyOf('^src/replication/transport/', '^src/replication/replication\\.module\\.ts$'),
    },
    to: { path: '(^|/)node_modules/(axios|@nestjs/axios)/' },
  },
  {
    name: 'the-core-has-no-framework',
    comment: 'Nest is the composition root and the HTTP edge: put providers into a *.module.ts.',
    from: {
      path: '^src/(clock|codec|store|cluster|replication)/',
      pathNot: anyOf(MODULE, '^src/replication/transport/'),
    },
    to: { path: '(^|/)node_modules/(@nestjs/[^/]+|express|rxjs|reflect-metadata|@types/express)/' },
  },
];

/** @type {import('dependency-cruiser').IForbiddenRuleType[]} */
const hygiene = [
  {
    name: 'no-circular-import',
    comment: 'Two files that need each other are one thing, or lack a third that both need.',
    from: {},
    to: { circular: true },
  },
  {
    name: 'no-barrel',
    comment: 'Import the file that defines the thing.',
    from: {},
    to: { path: '/index\\.ts$', pathNot: 'node_modules' },
  },
  {
    name: 'no-test-in-production',
    comment: 'What production needs belongs into src/.',
    from: { path: '^src/' },
    to: { path: '^(test|bench|demo)/' },
  },
  {
    name: 'no-undeclared-package',
    comment:
      'A package that production imports stands in "dependencies". (A type alone may come from a development one.)',
    from: { path: '^src/' },
    to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
  },
  {
    name: 'no-unresolvable-import',
    comment: 'The file or package is not there; relative imports end in .js.',
    from: {},
    to: { couldNotResolve: true },
  },
];

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [...direction, ...internals, ...hygiene].map((rule) => ({ severity: 'error', ...rule })),
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.js'],
    },
  },
};
