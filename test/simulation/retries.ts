// Is a request that comes again carried out once? Clients name some of their writes, and send them again, whether they had an
// answer or not, to the same replica or another: while the first attempt is on its way to the disk, after crashes, and when
// others have heard of it by its log entry or with a piece of keys.
//
// A replica whose clock covers the attempt must answer that one. One that knows nothing of it must carry the request out. In
// between are those that know the write from what somebody else had seen, and have not heard its name: nobody can say. A name
// may have died with a disk, too.

import type { RequestName } from '../../src/clock/request.js';
import type { Operation } from '../../src/replication/engine/operation.js';
import type { Cluster } from './cluster.js';
import { drawOperation } from './operations.js';
import type { OracleWrite } from './oracle.js';
import { Prng } from './prng.js';
import { Violation } from './violation.js';

/** Few: they must not hide what other writes show. */
const REQUEST_EVERY_OPERATIONS = 4;

/** Requests that a client may still send again. */
const REQUESTS_MAX = 6;

interface Request {
  readonly key: string;
  readonly operation: Operation;
  readonly name: RequestName;
  /** The writes of each time that it was carried out. */
  readonly attempts: (readonly OracleWrite[])[];
}

export class Retries {
  private readonly prng: Prng;
  private readonly requests: Request[] = [];
  private names = 0;
  private isOver = false;

  constructor(private readonly cluster: Cluster) {
    this.prng = new Prng(cluster.options.seed ^ 0x1de);
    if (cluster.options.retries) this.schedule();
  }

  end(): void {
    this.isOver = true;
  }

  private schedule(): void {
    const { cluster, prng } = this;
    const node = prng.pick(cluster.names);
    const waitMs = prng.intervalMs(cluster.options.operationEveryMs * REQUEST_EVERY_OPERATIONS);
    cluster.timeline.schedule(waitMs, node, 'request', () => {
      if (this.isOver) return;
      this.schedule();
      this.send(
        node,
        prng.chance(0.4) ? this.newRequest() : (prng.pick([...this.requests, undefined]) ?? this.newRequest()),
      );
    });
  }

  private newRequest(): Request {
    const { cluster, prng, requests } = this;
    const key = prng.pick(cluster.keys);
    const text = cluster.nextValue();
    const value = prng.chance(cluster.options.deletes) ? undefined : { text, bytes: Buffer.from(text) };
    const hex = (++this.names).toString(16);
    const request: Request = {
      key,
      operation: drawOperation(prng, cluster.kindOf(key), value, cluster.options.lifetimes),
      name: { id: hex.padStart(32, '0'), fingerprint: hex.padStart(16, 'f') },
      attempts: [],
    };
    requests.push(request);
    if (requests.length > REQUESTS_MAX) requests.shift();
    return request;
  }

  private send(at: string, request: Request): void {
    const { cluster } = this;
    const { mind } = cluster.node(at);
    const { known } = mind.working(request.key);
    // One that a crash has taken back is as if it had never been.
    const attempts = request.attempts.filter((writes) => writes.every((write) => isTaken(cluster, write)));
    const heard = attempts.filter(([first]) => (known & first!.bit) !== 0n);
    const covered = heard.filter(
      ([first]) => mind.counter(first!.actor) >= first!.counter && !cluster.sealed.has(first!.actor),
    );
    if (covered.length > 0) this.sendAgain(at, request, heard);
    else if (heard.length === 0) this.carryOut(at, request);
  }

  private carryOut(at: string, request: Request): void {
    const { cluster, prng } = this;
    const { key, operation, name: requestName, attempts } = request;
    const count = cluster.oracle.count(key);
    const acksNeeded = prng.chance(0.3) ? prng.between(1, cluster.names.length) : 1;
    const answered = cluster.write(at, key, undefined, { operation, requestName, acksNeeded });
    const writes = cluster.oracle.since(key, count);
    if (answered === undefined || writes.length === 0) return;
    attempts.push(writes);
    cluster.count('request');
    cluster.trace.note(
      `            ${at} carries out request ${requestName.id.slice(-4)} of ${key} for the first time`,
    );
    answered.then(
      (result) => {
        if (result.kind === 'written' && result.isRepeated)
          cluster.fail(new Violation('retry', `${at} takes a request of ${key} for one that it has not heard of`));
      },
      () => {
        // The cluster reports what it minds.
      },
    );
  }

  private sendAgain(at: string, { key, operation, name }: Request, heard: readonly (readonly OracleWrite[])[]): void {
    const { cluster, prng } = this;
    const node = cluster.node(at);
    const { driver, life } = node;
    const isOther = prng.chance(0.1);
    const acksNeeded = prng.chance(0.3) ? prng.between(1, cluster.names.length) : 1;
    const timeoutMs = prng.pick([50, 500, 3000]);
    if (driver?.progress.isIntroduced !== true || life === undefined) return;
    const requestName = isOther ? { ...name, fingerprint: 'e'.repeat(16) } : name;
    const deadlineMs = cluster.timeline.nowMs + timeoutMs;
    cluster.trace.note(`            request ${name.id.slice(-4)} of ${key} comes again to ${at}, w=${acksNeeded}`);
    life.waiting++;
    driver
      .write({ key, operation, context: undefined, precondition: undefined, requestName, acksNeeded, timeoutMs })
      .then((result) => {
        life.waiting--;
        if (life.isOver) return;
        cluster.count(isOther ? 'request refused' : 'request repeated');
        if (isOther !== (result.kind === 'request-reused'))
          throw new Violation('retry', `${at} answers ${result.kind} to a request of ${key} that it has carried out`);
        if (result.kind !== 'written') return;
        const last = heard.map((writes) => writes.at(-1)!);
        const dot = last.find(({ actor, counter }) => result.dot?.actor === actor && result.dot.counter === counter);
        if (!result.isRepeated || dot === undefined)
          throw new Violation('retry', `${at} does not answer as it did to a request of ${key} that comes again`);
        const holders = [...cluster.nodes.values()].filter((each) => each.hasCommitted(key, dot.bit)).length;
        const isTimely = acksNeeded <= 1 || (cluster.timeline.nowMs < deadlineMs && !life.isStopping);
        if (holders < result.acks || result.acks < (isTimely ? acksNeeded : 1))
          throw new Violation('acknowledgements', `a repeated request has ${result.acks}; ${holders} nodes have it`);
      })
      .catch((error: unknown) => {
        if (error instanceof Violation || (!life.isOver && node.driver !== undefined)) cluster.fail(error);
      });
  }
}

function isTaken({ oracle }: Cluster, write: OracleWrite): boolean {
  return oracle.write(write.actor, write.counter) === write;
}
