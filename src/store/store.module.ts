// One lifecycle: the database is opened before anything else is made, and closed after everything else has stopped.

import { join } from 'node:path';
import { Inject, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import { actorName } from '../clock/dot.js';
import { markClean, markUnclean, wasLeftUnclean } from './clean-stop.js';
import { LevelStore, StoreOpenError } from './level/level-store.js';
import { blankNode } from './record-codec.js';
import { ReplicaStore } from './replica-store.js';

export interface StoreOptions {
  /** The node's data folder. */
  readonly folder: string;
  /** Whether a commit is on disk before it is answered. */
  readonly fsync: boolean;
  /** As `LevelStoreOptions` has it. */
  readonly mergePhase: number | undefined;
  /** An actor that was never given before. */
  readonly newActor: () => string;
}

const OPTIONS = Symbol('StoreOptions');

/** The database is a folder in the node's data folder. */
function databaseFolder(data: string): string {
  return join(data, 'level');
}

@Module({})
export class StoreModule implements OnApplicationShutdown {
  constructor(
    @Inject(ReplicaStore) private readonly store: ReplicaStore,
    @Inject(LevelStore) private readonly level: LevelStore,
    @Inject(OPTIONS) private readonly options: StoreOptions,
  ) {}

  static of(options: StoreOptions): DynamicModule {
    const { folder, fsync, mergePhase } = options;
    return {
      module: StoreModule,
      providers: [
        { provide: OPTIONS, useValue: options },
        { provide: LevelStore, useFactory: () => LevelStore.open(databaseFolder(folder), { fsync, mergePhase }) },
        { provide: ReplicaStore, inject: [LevelStore], useFactory: (level: LevelStore) => openReplica(level, options) },
      ],
      exports: [ReplicaStore],
    };
  }

  async onApplicationShutdown(): Promise<void> {
    if (!this.options.fsync) await this.level.sync();
    await this.store.close();
    if (!this.options.fsync) await markClean(this.options.folder);
  }
}

/**
 * What a database that was not closed in order has lost, nobody knows: it goes on under another name.
 * @throws StoreOpenError when it is that of another node, which is left as it is
 */
async function openReplica(level: LevelStore, { folder, fsync, newActor }: StoreOptions): Promise<ReplicaStore> {
  const fresh = blankNode(newActor());
  const replica = await ReplicaStore.open(level, fresh);
  const [name, owner] = [actorName(fresh.actor), actorName(replica.view.node.actor)];
  if (owner !== name) {
    await replica.close();
    throw new StoreOpenError(
      `the data folder ${folder} is of ${owner}, and this replica is ${name}: ` +
        `set QUARTET_NAME=${owner} or choose another folder`,
    );
  }
  if (await wasLeftUnclean(folder)) {
    await replica.renew(newActor());
    await level.sync();
  }
  if (fsync) await markClean(folder);
  else await markUnclean(folder);
  return replica;
}
