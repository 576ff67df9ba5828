// Which connections does Node's HTTP server never see? Those whose clients send plain requests for routes that are answered
// early. Every connection begins as one of them; this server is Node's for everything else.

import { Server, type RequestListener, type ServerOptions } from 'node:http';
import type { Socket } from 'node:net';
import { RequestMeter } from '../../../observability/request-meter.js';
import { Cohort } from '../cohort.js';
import { STALLED_MS_MAX } from '../drained.js';
import { responseOf } from '../node-connection.js';
import { Unsent } from '../unsent.js';
import { PlainConnection, type PlainOwner } from './plain-connection.js';
import type { PlainRequest } from './plain-request.js';
import type { PlainResponse } from './plain-response.js';

export interface PlainServerOptions extends ServerOptions {
  readonly keepAliveTimeout: number;
  /** How often connections are looked at, in milliseconds. What stays unfinished for two looks is for Node's server. */
  readonly connectionsCheckingInterval: number;
  /** A client that takes nothing of an answer given here for this long is cut off. */
  readonly stalledMsMax?: number;
}

/** Who hears of answers. */
export interface AnswersHeard {
  /** Of those that are not taken at once. */
  readonly unsent: Unsent;
  /** Of all, as they begin. */
  readonly requests: RequestMeter;
}

/** Answers a plain request, or leaves it: false. Then nothing has been done. */
export type PlainRoute = (req: PlainRequest, res: PlainResponse) => boolean;

export class PlainServer extends Server {
  private readonly plain = new Set<PlainConnection>();
  /** The others. */
  private readonly handedOver = new Set<Socket>();
  private readonly owner: PlainOwner & { isLeaving: boolean };

  /** @param heard of the answers given here; those that `listener` gives are not its business */
  constructor(
    options: PlainServerOptions,
    route: PlainRoute,
    listener: RequestListener,
    { unsent, requests }: AnswersHeard = { unsent: new Unsent(), requests: new RequestMeter() },
  ) {
    super(options, listener);
    const { keepAliveTimeout, connectionsCheckingInterval, stalledMsMax = STALLED_MS_MAX } = options;
    const [nodes] = this.listeners('connection') as ((socket: Socket) => void)[];
    const arrived = new Cohort<PlainConnection>(setImmediate, (connection) => connection.goOn());
    const answered = new Cohort<PlainConnection>(
      (writeAll) => process.nextTick(writeAll),
      (connection) => connection.writeOut(),
    );
    this.owner = {
      take: route,
      arrived: (connection) => arrived.add(connection),
      answered: (connection) => answered.add(connection),
      handOver: (connection, bytes) => {
        const { socket } = connection;
        this.plain.delete(connection);
        this.handedOver.add(socket);
        socket.once('close', () => this.handedOver.delete(socket));
        nodes!.call(this, socket);
        if (bytes !== undefined) socket.unshift(bytes);
      },
      onUnfinished: (socket) => {
        if (!this.emit('clientError', unfinished(), socket)) socket.destroy();
      },
      onClosed: (connection) => this.plain.delete(connection),
      stalledMsMax,
      keepAlive: `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(keepAliveTimeout / 1000)}\r\n`,
      onAnswered: ({ method, url }, status, ms) => requests.answered(method, url, status, ms),
      unsent,
      isLeaving: false,
    };
    this.off('connection', nodes!);
    this.on('connection', (socket) => this.plain.add(new PlainConnection(socket, this.owner)));
    const looksMax = Math.ceil(keepAliveTimeout / connectionsCheckingInterval);
    const looking = setInterval(() => this.look(looksMax), connectionsCheckingInterval).unref();
    this.on('close', () => clearInterval(looking));
  }

  /** From now on every request is for Node's server. */
  leavePlain(): void {
    this.owner.isLeaving = true;
  }

  /** Of those that have had their answers, down to the last byte. */
  override closeIdleConnections(): void {
    // Only Node knows whether half a request has come; but an answer that has been given has left for it.
    const sending: { destroy?: Socket['destroy'] }[] = [...this.handedOver].filter(isSending);
    for (const socket of sending) socket.destroy = () => socket as Socket;
    super.closeIdleConnections();
    for (const socket of sending) delete socket.destroy;
    for (const connection of this.plain) if (connection.isDone && !isSending(connection.socket)) connection.cut();
  }

  override closeAllConnections(): void {
    super.closeAllConnections();
    for (const connection of this.plain) connection.cut();
  }

  private look(looksMax: number): void {
    for (const connection of this.plain) connection.look(looksMax);
  }
}

/** Whether the system has not taken all yet that the client is sent. */
function isSending(socket: Socket): boolean {
  return responseOf(socket) !== undefined || socket.writableLength > 0;
}

/** As Node's parser says it. */
function unfinished(): Error {
  return Object.assign(new Error('the connection ended within a request'), { code: 'HPE_INVALID_EOF_STATE' });
}
