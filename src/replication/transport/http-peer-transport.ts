// How does a request reach a peer over HTTP? As `POST /put_remote`, binary both ways, over a connection that is kept. What is sent
// all the time goes by a lean client, what is sent now and then by that of the framework.

import type { HttpService } from '@nestjs/axios';
import { firstValueFrom } from 'rxjs';
import type { Member } from '../../cluster/members.js';
import type { PeerAnswer, PeerRequest } from '../engine/messages.js';
import { PeerFailure, type PeerTransport } from '../transport.port.js';
import { Compressor, unpack, type Packed } from './compression.js';
import { decodeAnswer, encodeRequest } from './message-codec.js';
import { PeerClient } from './peer-client.js';
import type { PeerPost } from './peer-post.js';

export const PEER_PATH = '/put_remote';
export const PEER_CONTENT_TYPE = 'application/octet-stream';

/**
 * A batch goes past its target by one container at most. Replicas that grow one at the same time may each leave in it what the
 * bounds of siblings allow: 16 members, and as much as the largest value that can be configured, 16 MiB; and room for the rest.
 */
export const MESSAGE_BYTES_MAX = (16 * 16 + 16) * 1024 * 1024;

/** A comparison says whether a peer is there at all, and soon; a batch may have to wait for the peer's disk. */
const TIMEOUT_MS = {
  compare: 2000,
  push: 30_000,
  pull: 30_000,
  'pull-ahead': 30_000,
  'pull-keys': 30_000,
  members: 2000,
  fetch: 30_000,
  digest: 30_000,
} as const;

const ANSWERS: Record<PeerRequest['kind'], readonly PeerAnswer['kind'][]> = {
  compare: ['clock'],
  push: ['clock'],
  pull: ['batch', 'below-floor', 'take-all'],
  'pull-ahead': ['batch'],
  'pull-keys': ['piece'],
  members: ['members'],
  fetch: ['batch'],
  digest: ['digests'],
};

/** Of a busy cluster, one that reads from several replicas, or one that is idle for ever. */
const FREQUENT: ReadonlySet<PeerRequest['kind']> = new Set(['push', 'compare', 'digest', 'fetch']);

interface Received {
  readonly status: number;
  /** Inflated. */
  readonly body: Buffer;
}

export class HttpPeerTransport implements PeerTransport {
  private readonly compressors = new Map<string, Compressor>();
  private readonly client = new PeerClient(MESSAGE_BYTES_MAX);

  constructor(
    private readonly http: HttpService,
    private readonly self: { readonly name: string; readonly clusterSecret: string | undefined },
    /** Where a member is now. */
    private readonly find: (name: string) => Member | undefined,
  ) {}

  async send(to: string, request: PeerRequest, timeoutMs = Infinity): Promise<PeerAnswer> {
    const member = this.find(to);
    if (member === undefined) throw new PeerFailure(`${to} is no member`, false);
    const compressor = this.compressors.get(to) ?? new Compressor();
    this.compressors.set(to, compressor);
    const bytes = encodeRequest({ from: this.self.name, to: member.isNamed ? to : '', message: request });
    const packed = await compressor.pack(bytes);
    const { status, body } = await this.post(
      member,
      packed,
      Math.min(timeoutMs, TIMEOUT_MS[request.kind]),
      FREQUENT.has(request.kind),
    );
    if (status !== 200) throw refused(to, request, status, body);
    return answerOf(member, request, body);
  }

  private async post(
    member: Member,
    { body, encoding }: Packed,
    timeoutMs: number,
    isFrequent: boolean,
  ): Promise<Received> {
    const headers: Record<string, string> = { 'Content-Type': PEER_CONTENT_TYPE };
    if (encoding !== undefined) headers['Content-Encoding'] = encoding;
    if (this.self.clusterSecret !== undefined) headers['Authorization'] = `Bearer ${this.self.clusterSecret}`;
    const message = { url: `${member.url}${PEER_PATH}`, headers, body, timeoutMs };
    try {
      return await (isFrequent ? this.postLean(message) : this.postSeldom(message));
    } catch (error) {
      throw new PeerFailure(`${member.name} at ${member.url}: ${(error as Error).message}`, false, { cause: error });
    }
  }

  private async postLean(message: PeerPost): Promise<Received> {
    const { status, encoding, body } = await this.client.post(message);
    return { status, body: encoding === 'deflate' ? await unpack(body, MESSAGE_BYTES_MAX) : body };
  }

  private async postSeldom({ url, headers, body, timeoutMs }: PeerPost): Promise<Received> {
    const { status, data } = await firstValueFrom(this.http.post<Buffer>(url, body, { headers, timeout: timeoutMs }));
    return { status, body: data };
  }
}

function answerOf(member: Member, request: PeerRequest, bytes: Buffer): PeerAnswer {
  let envelope;
  try {
    envelope = decodeAnswer(bytes);
  } catch (error) {
    const refusal = `its answer can't be read: ${(error as Error).message}`;
    throw new PeerFailure(`${member.name} answered, but ${refusal}`, false, { cause: error, refusal });
  }
  if (member.isNamed && envelope.from !== member.name) {
    const refusal = `${member.url} is listed as ${member.name} but answers as ${envelope.from}: check the members`;
    throw new PeerFailure(refusal, false, { refusal });
  }
  if (!ANSWERS[request.kind].includes(envelope.message.kind))
    throw new PeerFailure(`${member.name} answered a ${request.kind} wrongly`, false);
  return envelope.message;
}

function refused(to: string, { kind }: PeerRequest, status: number, body: Buffer): PeerFailure {
  const detail = detailOf(body);
  const reason = detail === undefined ? String(status) : `${status}: ${detail}`;
  // From 500 on it is not the request that is wrong: the peer can't answer it now, or a proxy does not reach the peer.
  const refusal = status < 500 ? (detail ?? String(status)) : undefined;
  return new PeerFailure(`${to} refused a ${kind}: ${reason}`, true, { refusal });
}

/** Of a problem, if that is what came. */
function detailOf(body: Buffer): string | undefined {
  try {
    const { detail } = JSON.parse(body.toString()) as { readonly detail?: unknown };
    return typeof detail === 'string' ? detail : undefined;
  } catch {
    return undefined;
  }
}
