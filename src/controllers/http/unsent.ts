// Which answers does nobody take? Those that clients have asked for and do not read stand in memory whole, and a small request has
// a large one made. As long as there is room for all of them nothing happens: who takes slowly may. Beyond it the connections
// go that have taken nothing for longest, as with Redis' `client-output-buffer-limit`; and only such: who has just got an answer
// can't have taken it yet, whatever is there besides.

import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Logger } from '@nestjs/common';
import { Seldom } from '../../observability/seldom.js';
import { takenOf } from './node-connection.js';

/** As much as all request bodies may have by default. */
const BYTES_MAX = 128 * 1024 * 1024;

/** Smaller answers are not worth counting: they are what the system's own buffers take. */
export const COUNTED_BYTES_MIN = 64 * 1024;

/** Longer than any way through a network, and than a packet that is lost on it. */
const GRACE_MS = 2000;

/** Looked at so often within the grace time: time in which the process stood still is one look, and does not count. */
const LOOKS = 10;

/**
 * Who takes less than this part of an answer has taken nothing: a byte now and then would keep it for ever. It is the pace of who
 * has the whole in half a minute.
 */
const PARTS = 16;

/** A response of which it is known what the client has not taken. */
export interface Counted {
  readonly unsent: Unsent;
}

/** Of a connection. */
interface Held {
  bytes: number;
  /** What the connection had taken when it last took a part. */
  taken: number;
  /** Looks since then. */
  looks: number;
  readonly drop: () => void;
}

export class Unsent {
  private readonly logger = new Logger('Http');
  private readonly held = new Map<Socket, Held>();
  private heldBytes = 0;
  private cutCount = 0;
  private looking: NodeJS.Timeout | undefined;
  private readonly seldom = new Seldom();
  private toldCuts = 0;

  constructor(
    private readonly bytesMax = BYTES_MAX,
    private readonly graceMs = GRACE_MS,
  ) {}

  /** Of all that is held. */
  get bytes(): number {
    return this.heldBytes;
  }

  /** Connections that were cut for it. */
  get cuts(): number {
    return this.cutCount;
  }

  /**
   * @param bytes that are in memory until the client has taken them: of an answer, or a piece of one
   * @returns called once when it has; when the connection ends instead, it need not be
   */
  hold(socket: Socket, bytes: number): () => void {
    if (bytes <= COUNTED_BYTES_MIN || socket.destroyed) return () => {};
    const held = this.held.get(socket) ?? this.begin(socket);
    held.bytes += bytes;
    this.heldBytes += bytes;
    return () => {
      if (this.held.get(socket) !== held) return;
      held.bytes -= bytes;
      this.heldBytes -= bytes;
      if (held.bytes === 0) held.drop();
    };
  }

  private begin(socket: Socket): Held {
    const drop = (): void => {
      if (!this.held.delete(socket)) return;
      this.heldBytes -= held.bytes;
      socket.off('close', drop);
    };
    const held: Held = { bytes: 0, taken: takenOf(socket), looks: 0, drop };
    this.held.set(socket, held);
    socket.once('close', drop);
    this.looking ??= setInterval(() => this.look(), this.graceMs / LOOKS).unref();
    return held;
  }

  private look(): void {
    for (const [socket, held] of this.held) count(socket, held);
    if (this.heldBytes > this.bytesMax) this.cutIdle();
    if (this.held.size > 0) return;
    clearInterval(this.looking);
    this.looking = undefined;
  }

  private cutIdle(): void {
    const before = this.heldBytes;
    // Those that have waited as long as others stand in the order in which they came.
    const idle = [...this.held].filter(([, { looks }]) => looks >= LOOKS).sort(([, a], [, b]) => b.looks - a.looks);
    const cut: Socket[] = [];
    for (const [socket, { drop }] of idle) {
      if (this.heldBytes <= this.bytesMax) break;
      cut.push(socket);
      drop();
    }
    if (cut.length === 0) return;
    this.cutCount += cut.length;
    this.tell(before, cut[0]!.remoteAddress);
    for (const socket of cut) socket.destroy();
  }

  private tell(bytes: number, address: string | undefined): void {
    if (!this.seldom.isDue()) return;
    const cuts = this.cutCount - this.toldCuts;
    this.toldCuts = this.cutCount;
    this.logger.warn(
      `answers that are not taken have ${bytes} bytes, more than ${this.bytesMax}: connections that take nothing are cut, ` +
        `${cuts} since this was last said, of them one from ${address ?? 'an address unknown'}`,
    );
  }
}

/** For an answer that is sent as it is made: `bytes` of what it is made from are held until it has been. */
export async function holdingWhile(
  res: ServerResponse & Partial<Counted>,
  bytes: number,
  send: () => Promise<void>,
): Promise<void> {
  const letGo = res.unsent?.hold(res.req.socket, bytes);
  try {
    await send();
  } finally {
    letGo?.();
  }
}

function count(socket: Socket, held: Held): void {
  const taken = takenOf(socket);
  if (taken - held.taken < held.bytes / PARTS) held.looks++;
  else {
    held.looks = 0;
    held.taken = taken;
  }
}
