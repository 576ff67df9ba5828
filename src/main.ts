// One replica, one process: configured by the environment, stopped by a signal.

import 'reflect-metadata';
import { startApplication, type Application } from './application.js';
import { ConfigError, loadConfig } from './config/config.js';
import { descriptorsAdvice, descriptorsMax } from './config/descriptors.js';
import { addressOf, ListenError, listenErrorOf } from './config/listen-error.js';
import { NodeLogger } from './observability/node-logger.js';
import { collectStartGarbage } from './observability/start-garbage.js';
import { StoreOpenError } from './store/level/level-store.js';
import { engineAdvice } from './store/level/engine.js';
import { CorruptRecordError } from './store/record-codec.js';
import { StoreReadError, StoreWriteError } from './store/errors.js';
import { DamagedStoreError } from './store/lost-commits.js';

const EXIT_FAILED = 1;
const EXIT_BAD_CONFIGURATION = 2;

/** What comes again so soon is the same signal: npm passes on what a terminal has sent to the whole group. */
const SAME_SIGNAL_MS = 1000;

/** While it stops; any time will do. */
const AWAKE_EVERY_MS = 1000;

/** How long a replica that can't go on takes to answer the requests that it has. */
const LAST_ANSWERS_MS = 200;

/** Without what ends a start: Nest would tell of it, with a stack, and `fail` tells of it, too. */
class MainLogger extends NodeLogger {
  override error(message: unknown, ...rest: unknown[]): void {
    if (!['ExceptionHandler', 'NestApplication'].includes(rest.at(-1) as string))
      super.error(message, ...(rest as [string]));
  }
}

async function main(): Promise<void> {
  const config = await loadConfig(process.env);
  const logger = new MainLogger(config.name, process.stdout.isTTY === true);
  if (config.clusterSecret === undefined && !['127.0.0.1', 'localhost', '::1'].includes(config.host)) {
    logger.warn('QUARTET_CLUSTER_SECRET is not set: whoever reaches this address can act as a replica');
  }
  const starting = start(config, {
    logger,
    // The store is as the last commit left it; whoever runs the process starts it again from there.
    // What was under way is told so first.
    onStopped: () => setTimeout(() => process.exit(EXIT_FAILED), LAST_ANSWERS_MS),
  });
  // From the beginning, and to the end: to the first process of a container, a signal that nobody handles does nothing.
  let stoppingAt: number | undefined;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (stoppingAt !== undefined) {
        if (performance.now() - stoppingAt > SAME_SIGNAL_MS) process.exit(EXIT_FAILED);
        return;
      }
      stoppingAt = performance.now();
      logger.log(`${signal}: stopping`);
      // Once no port listens, nothing else does: timers and connections to peers keep no process alive.
      setInterval(() => {}, AWAKE_EVERY_MS);
      starting
        .then((application) => application.close())
        .then(
          () => process.exit(0),
          (error: unknown) => fail(error),
        );
    });
  }
  const { port } = await starting;
  logger.log(`${config.name} listens on ${addressOf(config.host, port)}, data in ${config.data}`);
  for (const advice of [descriptorsAdvice(await descriptorsMax()), engineAdvice()]) {
    if (advice !== undefined) logger.warn(advice);
  }
  if (stoppingAt === undefined) await collectStartGarbage();
}

/** @throws ListenError */
async function start(...[config, options]: Parameters<typeof startApplication>): Promise<Application> {
  try {
    return await startApplication(config, options);
  } catch (error) {
    throw listenErrorOf(error, config) ?? error;
  }
}

function fail(error: unknown): never {
  const isExpected =
    error instanceof ConfigError ||
    error instanceof ListenError ||
    error instanceof StoreOpenError ||
    error instanceof StoreReadError ||
    error instanceof StoreWriteError ||
    error instanceof CorruptRecordError ||
    error instanceof DamagedStoreError;
  if (isExpected) console.error(error.message);
  else console.error(error);
  process.exit(error instanceof ConfigError ? EXIT_BAD_CONFIGURATION : EXIT_FAILED);
}

main().catch(fail);
