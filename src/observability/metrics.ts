// What can be counted? One registry for each node, in Prometheus' format; nothing here is shared between nodes.

import { setTimeout as pause } from 'node:timers/promises';
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import type { Observation } from '../replication/engine/output.js';
import type { ReplicaStore } from '../store/replica-store.js';
import type { DiskSpace } from './disk-space.js';
import type { ClusterStatus } from './cluster-status.js';
import type { Readiness } from './readiness.js';
import type { RequestMeter } from './request-meter.js';

/** Longer than a look at a folder takes, and less than a scrape may. */
const SIZE_MS_MAX = 1000;

export class Metrics {
  readonly registry = new Registry();
  private readonly conflicts = this.counter(
    'quartet_conflicts_total',
    'Writes and merges that left a key with siblings',
  );
  private readonly batches = this.counter('quartet_batches_applied_total', 'Batches from peers that were merged');
  private readonly dots = this.counter('quartet_dots_applied_total', 'Write events that came from peers');
  private readonly gaps = this.counter('quartet_gaps_total', 'Batches refused because they began beyond the clock');
  private readonly pulls = this.counter('quartet_pulls_total', 'Pulls that were begun');
  private readonly farStamps = this.counter('quartet_stamps_too_far_ahead_total', 'Versions whose clock is far ahead');
  private readonly bootstraps = this.counter('quartet_bootstraps_total', 'Times that taking over all keys was begun');
  private readonly keysTaken = this.counter('quartet_bootstrap_keys_total', 'Keys that were taken over');
  private readonly trimmed = this.counter('quartet_log_trimmed_total', 'Log entries that every member has');
  private readonly sealed = this.counter('quartet_actors_sealed_total', 'Actors of lost disks whose last dot is final');
  private readonly damaged = this.counter('quartet_records_damaged_total', 'Records that could not be read');
  private readonly repaired = this.counter('quartet_records_repaired_total', 'Keys repaired, nothing of them lost');
  private readonly repairedInPart = this.counter(
    'quartet_records_repaired_incompletely_total',
    'Keys repaired without the writes that only this node had',
  );
  private readonly disagreed = this.counter(
    'quartet_records_put_right_total',
    'Keys that differed from those of peers that know the same, and do no longer',
  );
  private readonly readRepairs = this.counter(
    'quartet_read_repairs_total',
    'Reads of several replicas that found some which lacked something of the key',
  );
  private readonly expired = this.counter('quartet_expired_total', 'Versions dropped after their deadlines');
  private readonly scrubbed = this.counter('quartet_scrub_records_total', 'Records read anew and checked');
  private readonly unreadable = this.counter(
    'quartet_scrub_unreadable_total',
    'Times that a part of the database could not be scanned',
  );
  private readonly rounds = this.counter('quartet_scrub_rounds_total', 'Times that all records were checked');
  private readonly lastRound = new Gauge({
    name: 'quartet_scrub_last_round_seconds',
    help: 'When all records had last been checked, in seconds since 1970; 0: not yet',
    registers: [this.registry],
  });
  private readonly changes = this.counter('quartet_feed_entries_total', 'Entries of the change feed that were told');
  private readonly failures = this.counter('quartet_peer_failures_total', 'Requests to peers without an answer', [
    'peer',
  ]);

  constructor(name: string) {
    this.registry.setDefaultLabels({ node: name });
    collectDefaultMetrics({ register: this.registry });
  }

  /** Figures that are read when they are asked for. */
  watch(cluster: ClusterStatus, store: ReplicaStore, disk: DiskSpace): void {
    this.gauge('quartet_clock', 'Write events known, by actor', ['actor'], (gauge) => {
      for (const [actor, counter] of cluster.clock) gauge.set({ actor }, counter);
    });
    this.peerGauge('quartet_peer_up', 'Whether the peer answers', cluster, (peer) =>
      Number(peer.state !== 'unreachable'),
    );
    this.peerGauge(
      'quartet_peer_lag_dots',
      'Write events that the peer lacks, as far as it has told',
      cluster,
      (peer) => peer.lagDots,
    );
    this.peerGauge('quartet_peer_lag_seconds', 'How long the peer has lacked any', cluster, (peer) => peer.lagSeconds);
    this.peerGauge(
      'quartet_peer_missing_dots',
      'Write events that this node lacks',
      cluster,
      (peer) => peer.missingDots,
    );
    this.gauge('quartet_keys_ahead', 'Keys that know more than the node clock', [], (gauge) =>
      gauge.set(store.aheadCount),
    );
    this.gauge(
      'quartet_log_entries',
      'Log entries kept for members that lack them, and for readers of the change feed',
      [],
      (gauge) => gauge.set(cluster.logEntries),
    );
    this.gauge('quartet_catch_up_missing_dots', 'Write events still missing of those before the start', [], (gauge) =>
      gauge.set(cluster.catchUp.missingDots),
    );
    this.gauge('quartet_bootstrapping', 'Whether all keys are being taken over', [], (gauge) =>
      gauge.set(Number(cluster.isBootstrapping)),
    );
    this.storeGauge(store);
    this.gauge('quartet_disk_free_bytes', 'Bytes free on the disk', [], (gauge) => gauge.set(disk.free));
  }

  watchReadiness(readiness: Readiness): void {
    this.gauge('quartet_ready', 'Whether this node takes requests: what /readyz says', [], (gauge) =>
      gauge.set(Number(readiness.isReady)),
    );
  }

  watchRequests(requests: RequestMeter): void {
    this.registry.registerMetric(requests.seconds);
  }

  /** Readers of the change feed. */
  watchReaders(readers: () => number): void {
    this.gauge('quartet_feed_readers', 'Readers that wait for changes', [], (gauge) => gauge.set(readers()));
  }

  /** Answers that are not taken at once. */
  watchUnsent(unsent: { readonly bytes: number; readonly cuts: number }): void {
    this.gauge('quartet_unsent_bytes', 'Bytes of large answers that are not taken yet', [], (gauge) =>
      gauge.set(unsent.bytes),
    );
    this.countedElsewhere(
      'quartet_unsent_cut_total',
      'Connections cut that took nothing while such answers had too many bytes',
      () => unsent.cuts,
    );
  }

  /** Connections that were too many. */
  watchRefusals(refusals: { readonly count: number }): void {
    this.countedElsewhere(
      'quartet_connections_refused_total',
      'Connections closed as they came, for as many were open as file descriptors allow',
      () => refusals.count,
    );
  }

  changesServed(entries: number): void {
    this.changes.inc(entries);
  }

  observed(observation: Observation): void {
    switch (observation.kind) {
      case 'conflict':
        return this.conflicts.inc();
      case 'batch-applied':
        this.batches.inc();
        return this.dots.inc(observation.dots);
      case 'gap':
        return this.gaps.inc();
      case 'pull-started':
        return this.pulls.inc();
      case 'stamp-too-far-ahead':
        return this.farStamps.inc();
      case 'bootstrap-started':
        return this.bootstraps.inc();
      case 'bootstrap-progressed':
        return this.keysTaken.inc(observation.keys);
      case 'log-trimmed':
        return this.trimmed.inc(observation.dots);
      case 'actor-sealed':
        return this.sealed.inc();
      case 'damaged':
      case 'log-damaged':
      case 'request-damaged':
        return this.damaged.inc();
      case 'repaired':
        return (observation.isWhole ? this.repaired : this.repairedInPart).inc();
      case 'disagreement-settled':
        return observation.wasRight ? undefined : this.disagreed.inc();
      case 'read-repaired':
        return this.readRepairs.inc();
      case 'scrubbed':
        return this.scrubbed.inc(observation.records);
      case 'store-unreadable':
        return this.unreadable.inc();
      case 'expired':
        return this.expired.inc(observation.versions);
      case 'scrub-round-ended':
        this.rounds.inc();
        return this.lastRound.setToCurrentTime();
      case 'bootstrap-ended':
      case 'member-joined':
      case 'member-forgotten':
      case 'too-many-members':
      case 'forgotten':
      case 'peer-up':
      case 'peer-unreachable':
      case 'new-incarnation':
        return;
    }
  }

  peerFailed(peer: string): void {
    this.failures.inc({ peer });
  }

  private counter<Label extends string>(name: string, help: string, labelNames: Label[] = []): Counter<Label> {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  private countedElsewhere(name: string, help: string, count: () => number): void {
    const counter: Counter = new Counter({
      name,
      help,
      registers: [this.registry],
      collect: () => {
        counter.reset();
        counter.inc(count());
      },
    });
  }

  private gauge<Label extends string>(
    name: string,
    help: string,
    labelNames: Label[],
    collect: (gauge: Gauge<Label>) => void | Promise<void>,
  ): void {
    const gauge: Gauge<Label> = new Gauge({
      name,
      help,
      labelNames,
      registers: [this.registry],
      collect: () => collect(gauge),
    });
  }

  /** A disk that hangs holds up no other figure, and has one look under way at most: the one before it is shown. */
  private storeGauge(store: ReplicaStore): void {
    let looking: Promise<void> | undefined;
    this.gauge('quartet_store_bytes', 'Bytes on disk, roughly', [], async (gauge) => {
      looking ??= store
        .size()
        .then((bytes) => gauge.set(bytes))
        .finally(() => (looking = undefined));
      await Promise.race([looking, pause(SIZE_MS_MAX, undefined, { ref: false })]);
    });
  }

  private peerGauge(
    name: string,
    help: string,
    cluster: ClusterStatus,
    value: (peer: ReturnType<ClusterStatus['peers']>[number]) => number,
  ): void {
    this.gauge(name, help, ['peer'], (gauge) => {
      // Of one that has been removed the last figure would stay.
      gauge.reset();
      for (const peer of cluster.peers()) gauge.set({ peer: peer.name }, value(peer));
    });
  }
}
