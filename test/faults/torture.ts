// Do real processes keep their promises while everything about them fails? A cluster under load, faults that strike it at
// random moments from one seed, then healing, and the verdict. The seed decides what is done and when; how processes and
// disks take it is real, so that a seed brings back the faults, and not each race.

import { Prng } from '../simulation/prng.js';
import { Load } from './clients.js';
import { finalReads, heal, historyOf } from './ending.js';
import {
  breakLinks,
  bringBackOldCopy,
  fillDisk,
  killAll,
  killAndRestart,
  pause,
  shiftClock,
  tear,
  wipe,
  type Scene,
} from './faults.js';
import { FaultyCluster } from './faulty-cluster.js';
import { Recorder, type History } from './history.js';
import type { Finding } from './ledger.js';
import { judge } from './verdict.js';

export interface TortureOptions {
  readonly seed: number;
  readonly seconds: number;
  readonly replicas?: number;
  /** All kinds unless given. */
  readonly kinds?: readonly FaultKind[];
  /** Called several times a second. */
  readonly onProgress?: (progress: Progress) => void;
}

export interface Progress {
  readonly seconds: number;
  readonly acknowledged: number;
  readonly faults: number;
  readonly phase: string;
}

export interface Outcome {
  readonly findings: readonly Finding[];
  readonly history: History;
  readonly timeline: FaultyCluster['timeline'];
  readonly problems: ReadonlyMap<string, number>;
  readonly faults: ReadonlyMap<FaultKind, number>;
  readonly hasSmallDisk: boolean;
}

/** How often each kind is drawn. */
const WEIGHTS = {
  kill: 5,
  pause: 3,
  links: 5,
  wipe: 2,
  clock: 2,
  'kill all': 1,
  'old copy': 2,
  'torn file': 2,
  'full disk': 2,
} as const;

export type FaultKind = keyof typeof WEIGHTS;

export const FAULT_KINDS = Object.keys(WEIGHTS) as readonly FaultKind[];

/** They need the others up and reachable, or hit all: nothing else may go on meanwhile. */
const ALONE: readonly FaultKind[] = ['kill all', 'old copy', 'torn file'];

/** More than two of four in trouble at one time leave hardly any load. */
const TROUBLED_MAX = 2;

export async function torture(options: TortureOptions): Promise<Outcome> {
  const prng = new Prng(options.seed);
  const cluster = await FaultyCluster.start({ replicas: options.replicas ?? 4 });
  try {
    return await new Torture(options, cluster, prng).run();
  } finally {
    await cluster.stop();
  }
}

class Torture {
  private readonly recorder = new Recorder();
  private readonly load: Load;
  private readonly running = new Set<Promise<void>>();
  private readonly troubled = new Set<string>();
  private readonly faults = new Map<FaultKind, number>();
  private readonly endMs: number;
  private areLinksBroken = false;
  private phase = 'faults';
  private failure: unknown;

  constructor(
    private readonly options: TortureOptions,
    private readonly cluster: FaultyCluster,
    private readonly prng: Prng,
  ) {
    this.load = new Load(cluster, this.recorder, prng.fork());
    this.endMs = cluster.nowMs() + options.seconds * 1000;
  }

  async run(): Promise<Outcome> {
    const shown = setInterval(() => this.tell(), 200);
    let reads: History['finalReads'] = [];
    try {
      this.load.start();
      await this.load.untilFurther(50);
      await this.strike();
      this.phase = 'healing';
      await this.load.stop();
      await heal(this.cluster, this.recorder);
      this.phase = 'reading all';
      reads = await finalReads(this.cluster, this.recorder.keys());
    } catch (error) {
      // What was recorded until then says more than the error alone.
      this.cluster.find('liveness', (error as Error).message);
    } finally {
      clearInterval(shown);
      await this.load.stop();
      await Promise.allSettled(this.running);
    }
    this.phase = 'judging';
    this.tell();
    const history = historyOf(this.cluster, this.recorder, reads);
    const hasEnded = reads.length > 0;
    // Without an end there is nothing to say about it; everything before can be judged.
    const found = judge(history).filter(({ message }) => hasEnded || message !== 'the key was not read at the end');
    return {
      findings: [...this.cluster.findings, ...found],
      history,
      timeline: this.cluster.timeline,
      problems: this.cluster.problems,
      faults: this.faults,
      hasSmallDisk: this.cluster.smallDisk !== undefined,
    };
  }

  private async strike(): Promise<void> {
    const bag = (this.options.kinds ?? FAULT_KINDS).flatMap((kind) => Array<FaultKind>(WEIGHTS[kind]).fill(kind));
    while (this.cluster.nowMs() < this.endMs && this.failure === undefined) {
      const kind = this.prng.pick(bag);
      if (ALONE.includes(kind)) await Promise.all(this.running);
      this.begin(kind, this.prng.fork());
      if (ALONE.includes(kind)) await Promise.all(this.running);
      await this.hold(this.prng.between(20, 400));
    }
    await Promise.all(this.running);
    if (this.failure !== undefined) throw this.failure;
  }

  private begin(kind: FaultKind, prng: Prng): void {
    const { cluster, load } = this;
    const scene: Scene = { cluster, load, prng, hold: (ms) => this.hold(ms) };
    if (kind === 'links') {
      if (this.areLinksBroken) return;
      this.areLinksBroken = true;
      return this.follow(
        kind,
        breakLinks(scene).finally(() => (this.areLinksBroken = false)),
      );
    }
    if (kind === 'kill all') return this.follow(kind, killAll(scene));
    const name = kind === 'full disk' ? cluster.lastName : prng.pick(cluster.names);
    if (this.troubled.has(name)) return;
    // With another time a replica still takes load.
    if (kind !== 'clock' && this.troubled.size >= TROUBLED_MAX) return;
    this.troubled.add(name);
    this.follow(
      kind,
      this.perform(kind, scene, name).finally(() => this.troubled.delete(name)),
    );
  }

  private perform(kind: FaultKind, scene: Scene, name: string): Promise<void> {
    if (kind === 'kill') return killAndRestart(scene, name);
    if (kind === 'clock') return shiftClock(scene, name);
    if (kind === 'pause') return pause(scene, name);
    if (kind === 'wipe') return wipe(scene, name);
    if (kind === 'old copy') return bringBackOldCopy(scene, name);
    if (kind === 'torn file') return tear(scene, name);
    return fillDisk(scene);
  }

  private follow(kind: FaultKind, fault: Promise<unknown>): void {
    this.faults.set(kind, (this.faults.get(kind) ?? 0) + 1);
    const followed: Promise<void> = fault.then(
      () => void this.running.delete(followed),
      (error: unknown) => {
        this.failure ??= error;
        this.running.delete(followed);
      },
    );
    this.running.add(followed);
  }

  /** Trouble lasts so long, but not beyond the end of the run. */
  private hold(ms: number): Promise<void> {
    const left = Math.max(0, Math.min(ms, this.endMs - this.cluster.nowMs()));
    return new Promise((resolve) => setTimeout(resolve, left));
  }

  private tell(): void {
    const faults = [...this.faults.values()].reduce((sum, count) => sum + count, 0);
    const seconds = Math.min(this.options.seconds, (this.cluster.nowMs() - this.endMs) / 1000 + this.options.seconds);
    this.options.onProgress?.({
      seconds,
      acknowledged: this.recorder.count('acknowledged'),
      faults,
      phase: this.phase,
    });
  }
}
