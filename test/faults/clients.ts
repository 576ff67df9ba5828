// What do clients do meanwhile? They read, write and delete all the time, each at any replica that takes requests: with
// what they have just read there, with what they read long ago somewhere else, or without looking. What they asked and
// what they were told goes into the history.
//
// Only a few keys are in use at a time, so that writes race; each is given up after some writes, so that its last state
// stands until the end, and that a write whose outcome nobody knows leaves little undecided.

import type { Answer, RequestOptions } from '../support/process-client.js';
import type { Prng } from '../simulation/prng.js';
import { until } from '../support/until.js';
import type { FaultyCluster } from './faulty-cluster.js';
import type { Outcome, Recorder, Shown } from './history.js';

const CLIENTS = 6;
const KEYS_IN_USE = 8;
const WRITES_PER_KEY = 40;
const READINGS_MAX = 4;
/** Between two operations of a client: the processors belong to those who have to start again. */
const PAUSE_MS = 12;
/** A paused replica keeps its clients waiting; they leave after this. */
const PATIENCE_MS = 1500;
const PROGRESS_MS_MAX = 30_000;

interface Client {
  readonly name: string;
  readonly prng: Prng;
  /** By key, contexts that it was told, the latest last. */
  readonly readings: Map<string, string[]>;
  /** The session of its last answer. */
  session: string | undefined;
}

export class Load {
  private readonly clients: readonly Client[];
  private readonly keys: { name: string; writes: number }[];
  private readonly busy = new Map<string, number>();
  private loops: readonly Promise<void>[] = [];
  private isOver = false;
  private keysMade = 0;

  constructor(
    private readonly cluster: FaultyCluster,
    private readonly recorder: Recorder,
    prng: Prng,
    private readonly options: { readonly prefix?: string; readonly pauseMs?: number } = {},
  ) {
    this.clients = Array.from({ length: CLIENTS }, (_, index) => ({
      name: `c${index + 1}`,
      prng: prng.fork(),
      readings: new Map(),
      session: undefined,
    }));
    this.keys = Array.from({ length: KEYS_IN_USE }, () => this.newKey());
  }

  start(): void {
    this.isOver = false;
    this.loops = this.clients.map((client) => this.run(client));
  }

  async stop(): Promise<void> {
    this.isOver = true;
    await Promise.all(this.loops);
  }

  /** Resolves once so many more writes are acknowledged, at the named replica or at any. */
  async untilFurther(count: number, replica?: string): Promise<void> {
    const { events } = this.recorder;
    let place = events.length;
    let further = 0;
    const where = replica === undefined ? '' : ` at ${replica}`;
    await until(
      `${count} more writes are acknowledged${where}`,
      () => {
        for (; place < events.length; place++) {
          const event = events[place]!;
          const isHere = replica === undefined || event.replica === replica;
          if (event.kind === 'write' && event.outcome === 'acknowledged' && isHere) further++;
        }
        return further >= count;
      },
      PROGRESS_MS_MAX,
    );
  }

  /** Resolves once no request is under way at this replica; it must have been closed to clients. */
  async untilIdleAt(replica: string): Promise<void> {
    await until(`no request is under way at ${replica}`, () => (this.busy.get(replica) ?? 0) === 0, PROGRESS_MS_MAX);
  }

  private async run(client: Client): Promise<void> {
    while (!this.isOver) {
      const open = this.cluster.openReplicas();
      if (open.length > 0) {
        const replica = client.prng.pick(open);
        this.busy.set(replica, (this.busy.get(replica) ?? 0) + 1);
        await this.operate(client, replica).finally(() => this.busy.set(replica, this.busy.get(replica)! - 1));
      }
      await new Promise((resolve) => setTimeout(resolve, this.options.pauseMs ?? PAUSE_MS));
    }
  }

  private async operate(client: Client, replica: string): Promise<void> {
    const { prng } = client;
    const key = prng.pick(this.keys);
    const kind = prng.next();
    if (kind < 0.35) return void (await this.read(client, replica, key.name, prng.chance(0.2)));
    const how = prng.next();
    let context: string | undefined;
    if (how < 0.3) context = await this.read(client, replica, key.name, false);
    else if (how < 0.6) context = prng.pick(client.readings.get(key.name) ?? [undefined]);
    if (++key.writes >= WRITES_PER_KEY && this.keys.includes(key)) this.keys[this.keys.indexOf(key)] = this.newKey();
    if (kind < 0.85) await this.put(client, replica, key.name, context);
    else await this.delete(client, replica, key.name, context);
  }

  private async read(client: Client, replica: string, key: string, inSession: boolean): Promise<string | undefined> {
    const session = inSession ? client.session : undefined;
    const path = `/v1/kv/${key}?siblings=all&timeout=500`;
    const asked = this.asked(client, replica, key);
    const answer = await this.request(replica, 'GET', path, session ? { headers: { 'Quartet-Session': session } } : {});
    if (answer === undefined || answer === 'refused') return undefined;
    if (![200, 300, 404].includes(answer.status)) {
      this.cluster.noteProblem(replica, answer.status, problemOf(answer).code);
      return undefined;
    }
    const { siblings } = (answer.status === 404 ? { siblings: [] } : json(answer)) as { siblings: readonly Shown[] };
    const token = answer.headers['quartet-context'] as string;
    this.recorder.note({
      kind: 'read',
      ...asked,
      endedAtMs: this.cluster.nowMs(),
      token,
      siblings: siblings.map(({ dot, value, time }) => ({ dot, value, time })),
      session,
    });
    this.remember(client, key, answer);
    return token;
  }

  private async put(client: Client, replica: string, key: string, context: string | undefined): Promise<void> {
    const value = this.recorder.nextValue();
    const asked = this.asked(client, replica, key);
    const answer = await this.request(replica, 'PUT', writePath(client, key, this.cluster.names.length).path, {
      body: value,
      headers: contextHeader(context),
    });
    const outcome = this.outcomeOf(replica, answer);
    const body = outcome === 'acknowledged' ? json(answer as Answer) : {};
    this.noteWrite(client, asked, { value, context, outcome, answer, acks: body.acks ?? 0, dot: body.dot });
  }

  /** The answer to a delete does not name its dot: it is the last one of the replica's actor, if that stayed the same. */
  private async delete(client: Client, replica: string, key: string, context: string | undefined): Promise<void> {
    const before = await this.actorOf(replica);
    const { path, w } = writePath(client, key, this.cluster.names.length);
    const asked = this.asked(client, replica, key);
    const answer = await this.request(replica, 'DELETE', path, { headers: contextHeader(context) });
    const outcome = this.outcomeOf(replica, answer);
    let [acks, dot]: [number, string | undefined] = [0, undefined];
    if (outcome === 'acknowledged') {
      const response = answer as Answer;
      if (response.status === 202) ({ acks, dot } = json(response));
      else {
        acks = w;
        const after = await this.actorOf(replica);
        const told = response.headers['quartet-context'] as string;
        if (before !== undefined && before === after) dot = `${before}:${this.cluster.counterIn(told, before)}`;
      }
    }
    this.noteWrite(client, asked, { value: undefined, context, outcome, answer, acks, dot });
  }

  private noteWrite(
    client: Client,
    asked: ReturnType<Load['asked']>,
    told: {
      value: string | undefined;
      context: string | undefined;
      outcome: Outcome;
      answer: Answer | 'refused' | undefined;
      acks: number;
      dot: string | undefined;
    },
  ): void {
    const { answer, ...rest } = told;
    const isDone = told.outcome === 'acknowledged';
    const headers = isDone ? (answer as Answer).headers : undefined;
    this.recorder.note({
      kind: 'write',
      ...asked,
      endedAtMs: this.cluster.nowMs(),
      ...rest,
      told: headers?.['quartet-context'] as string | undefined,
      siblings: headers === undefined ? undefined : Number(headers['quartet-siblings']),
    });
    if (isDone) this.remember(client, asked.key, answer as Answer);
  }

  private asked({ name }: Client, replica: string, key: string) {
    return { client: name, replica, disk: this.cluster.diskOf(replica), key, beganAtMs: this.cluster.nowMs() };
  }

  private remember(client: Client, key: string, { headers }: Answer): void {
    const readings = client.readings.get(key) ?? [];
    readings.push(headers['quartet-context'] as string);
    if (readings.length > READINGS_MAX) readings.shift();
    client.readings.set(key, readings);
    client.session = headers['quartet-session'] as string;
  }

  /** `refused`: no connection was made. Undefined: none came back, which says nothing. */
  private async request(
    replica: string,
    method: string,
    path: string,
    options: RequestOptions,
  ): Promise<Answer | 'refused' | undefined> {
    try {
      return await this.cluster.client(replica).request(method, path, { timeoutMs: PATIENCE_MS, ...options });
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'ECONNREFUSED' ? 'refused' : undefined;
    }
  }

  private outcomeOf(replica: string, answer: Answer | 'refused' | undefined): Outcome {
    if (answer === 'refused') return 'refused';
    if (answer === undefined) return 'unknown';
    if (answer.status < 300) return 'acknowledged';
    const { outcome, code } = problemOf(answer);
    this.cluster.noteProblem(replica, answer.status, code);
    return outcome === 'definite' ? 'refused' : 'unknown';
  }

  private async actorOf(replica: string): Promise<string | undefined> {
    const answer = await this.request(replica, 'GET', '/v1/cluster', {});
    return typeof answer === 'object' && answer.status === 200 ? json(answer).actor : undefined;
  }

  private newKey(): { name: string; writes: number } {
    return { name: `${this.options.prefix ?? 'k'}${++this.keysMade}`, writes: 0 };
  }
}

function json(answer: Answer) {
  return JSON.parse(answer.body.toString());
}

function problemOf(answer: Answer): { readonly outcome: string; readonly code: string } {
  try {
    return json(answer);
  } catch {
    return { outcome: 'unknown', code: 'no problem body' };
  }
}

function contextHeader(context: string | undefined): Record<string, string> {
  return context === undefined ? {} : { 'Quartet-Context': context };
}

function writePath({ prng }: Client, key: string, replicas: number): { readonly path: string; readonly w: number } {
  const w = prng.chance(0.3) ? prng.between(2, replicas) : 1;
  return { path: `/v1/kv/${key}${w === 1 ? '' : `?w=${w}&timeout=${prng.pick([50, 400])}`}`, w };
}
