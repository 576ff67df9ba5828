// Which HTTP server stands below Nest? Express, with seven differences.
//
// Some requests are taken before Express sees them, straight from the server; most of those before Node's parser does.
//
// With a port for peers there are two servers before one application. What comes to the second is marked as coming from
// there: only what a replica sends is taken at it, and then that is taken nowhere else.
//
// Express gives every request and response another prototype, which ruins V8's inline caches. Here the server makes them
// with classes that have Express' prototypes behind them already, so that nothing changes per request.
// A client has a bounded time to send its request, and a connection has one request carried out at a time. And what never
// becomes a request is answered like everything else.

import { IncomingMessage, ServerResponse, type Server } from 'node:http';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Logger } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import express, { type Express } from 'express';
import { RequestMeter } from '../../observability/request-meter.js';
import { PEER_PATH } from '../../replication/transport/http-peer-transport.js';
import { closed } from './closed.js';
import type { Request, Response } from './exchange.js';
import { responseOf } from './node-connection.js';
import { PlainServer, type AnswersHeard } from './plain/plain-server.js';
import { Problem, problemBody, PROBLEMS, type ProblemCode } from './problem.js';
import { Refusals } from './refusals.js';
import { answerError, sendProblem } from './send-problem.js';
import { Turns, type Waiting } from './turns.js';
import { COUNTED_BYTES_MIN, Unsent, type Counted } from './unsent.js';

/** How often the server looks for clients that are too slow. */
const CHECK_EVERY_MS_MAX = 500;

/** Longer than a load balancer keeps a connection, so that it is the side that closes. */
const KEEP_ALIVE_MS = 75_000;

/** Longer than any request waits for others, and than a connection is kept that has had its answers. */
const SILENT_MS_MORE = 15_000;

/** A client that never ends its side of a refused connection does not keep it: not even the end of the node would. */
const LINGER_MS = 1000;

const NOT_ASCII = /[\x80-\xff]/;
const NOT_ENCODED = 'what is not ASCII in a path or a query is percent-encoded UTF-8: ü is %C3%BC';

/** Express, as it is called. `unanswered`: by any of its layers. */
type Router = (req: IncomingMessage, res: ServerResponse, unanswered: (error?: unknown) => void) => void;

/** Answers a request, or leaves it: false. Then nothing has been done. */
export type EarlyRoute = (req: Request, res: Response) => boolean;

export interface ServerOptions {
  readonly requestTimeoutMs: number;
  /** Whether the other replicas come to a port of their own. */
  readonly hasPeerPort: boolean;
}

export class ServerAdapter extends ExpressAdapter {
  /** Of connections at either port. */
  readonly refusals = new Refusals();
  /** At either port. */
  readonly requests = new RequestMeter();
  private readonly settings: ServerOptions;
  private readonly classes: ReturnType<typeof stableClasses>;
  private readonly peerServer: PlainServer | undefined;
  private early: EarlyRoute = () => false;
  private readonly log = new Logger('Http');

  /** @param unsent knows what is answered at either port, and not taken at once */
  constructor(
    options: ServerOptions,
    readonly unsent = new Unsent(),
  ) {
    super(newExpress());
    this.settings = options;
    this.classes = stableClasses(this.getInstance<Express>(), this);
    if (options.hasPeerPort) {
      this.peerServer = this.serverBefore(
        (req, res) => this.takeFromPeer(req, res),
        (req, res) => this.routeFromPeer(req, res),
      );
    }
  }

  /** From now on requests go to the router only when `route` leaves them. */
  routeEarly(route: EarlyRoute): void {
    this.early = route;
  }

  override initHttpServer(): void {
    this.httpServer = this.serverBefore(
      (req, res) => this.early(req, res),
      (req, res) => this.route(req, res),
    );
  }

  /** Each port has so many connections at most. To be called before they listen. */
  limitConnections({ clients, peers }: { readonly clients: number; readonly peers: number }): void {
    this.refusals.limit(this.httpServer as Server, clients);
    if (this.peerServer !== undefined) this.refusals.limit(this.peerServer, peers);
  }

  /** Where there is a port for peers, they find nobody before this. */
  async listenToPeers(port: number, host: string): Promise<void> {
    if (this.peerServer === undefined) return;
    this.peerServer.listen(port, host);
    await once(this.peerServer, 'listening');
  }

  get isListening(): boolean {
    return (this.httpServer as Server).listening;
  }

  /** Each answer at the clients' port ends its connection from now on: who asks again comes to another replica. */
  sendAway(): void {
    const server = this.httpServer as PlainServer;
    server.leavePlain();
    server.prependListener('request', (_req, res) => res.setHeader('Connection', 'close'));
  }

  /** Takes nothing more at the clients' port. Resolves when all is answered, or the time for it is over. */
  closeToClients(): Promise<void> {
    return closed(this.httpServer as Server);
  }

  override async close(): Promise<void> {
    await Promise.all([this.closeToClients(), this.peerServer && closed(this.peerServer)]);
  }

  private route(req: IncomingMessage, res: ServerResponse): void {
    // Node 20.19.0 lets it pass, each byte as a character: UTF-8 would name another key. Later ones refuse it themselves.
    if (NOT_ASCII.test(req.url!)) return sendProblem(res, new Problem('MALFORMED_REQUEST', NOT_ENCODED));
    if (this.early(req, res)) return;
    // Where a target has no path, as abc://h, no layer of the router is asked.
    this.getInstance<Router>()(req, res, (error) => {
      answerError(res, error ?? new Problem('NO_SUCH_ROUTE', `${req.method} ${req.url}: it has no path`), this.log);
    });
  }

  private takeFromPeer(req: Request, res: Response): boolean {
    if (req.url !== PEER_PATH) return false;
    req.isFromPeerPort = true;
    return this.early(req, res);
  }

  /** What replicas send each other, and nothing else. */
  private routeFromPeer(req: Request & IncomingMessage, res: ServerResponse): void {
    if (req.url !== PEER_PATH) return sendProblem(res, new Problem('NO_SUCH_ROUTE', 'this port is for replicas only'));
    req.isFromPeerPort = true;
    this.route(req, res);
  }

  /** Plain requests go to `take`; what it leaves, and all others, to `listener`. */
  private serverBefore(take: EarlyRoute, listener: (req: IncomingMessage, res: ServerResponse) => void): PlainServer {
    const { requestTimeoutMs } = this.settings;
    const checkEveryMs = Math.min(CHECK_EVERY_MS_MAX, requestTimeoutMs);
    const options = {
      ...this.classes,
      requestTimeout: requestTimeoutMs,
      headersTimeout: requestTimeoutMs,
      connectionsCheckingInterval: checkEveryMs,
      keepAliveTimeout: KEEP_ALIVE_MS,
    };
    const turns = new Turns(listener, { requestTimeoutMs, checkEveryMs }, (socket) => {
      server.emit('clientError', timedOut(), socket);
    });
    const server = new PlainServer(options, take, turns.take, this);
    // Of Node's part of it: neither side says anything, and the client takes nothing of what it is sent.
    server.timeout = Math.max(requestTimeoutMs, KEEP_ALIVE_MS) + SILENT_MS_MORE;
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      if (error.code !== TIMED_OUT || !turns.excuse(socket)) answerClientError(error, socket);
    });
    return server;
  }
}

/** Set up before Nest gets it: the router is made at first use, with the settings of that moment. */
function newExpress(): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', false);
  // One rule for paths: `/put/` is not `/put`.
  app.enable('strict routing');
  app.enable('case sensitive routing');
  return app;
}

/** Classes whose instances Express need not touch: their prototypes are the ones it would set. One pair for an application. */
function stableClasses(app: Express, { unsent, requests }: AnswersHeard) {
  class Request extends IncomingMessage {}
  class Response<R extends IncomingMessage> extends ServerResponse<R> implements Waiting, Counted {
    // Here, so that every response has it at the same place.
    onTurn: Waiting['onTurn'] = undefined;
    readonly askedAt = performance.now();

    get unsent(): Unsent {
      return unsent;
    }

    // In all their forms: whoever answers, and however, comes here.
    override writeHead(...rest: unknown[]): this {
      super.writeHead(...(rest as [number]));
      requests.answered(this.req.method!, this.req.url!, this.statusCode, performance.now() - this.askedAt);
      return this;
    }

    override end(...rest: unknown[]): this {
      super.end(...(rest as []));
      const { socket } = this.req;
      if (socket.writableLength > COUNTED_BYTES_MIN) this.once('finish', unsent.hold(socket, socket.writableLength));
      return this;
    }

    override assignSocket(socket: Socket): void {
      super.assignSocket(socket);
      this.onTurn?.(socket);
    }
  }
  adopt(Request.prototype, express.request, app);
  adopt(Response.prototype, express.response, app);
  Object.assign(app, { request: Request.prototype, response: Response.prototype });
  return { IncomingMessage: Request, ServerResponse: Response };
}

function adopt(prototype: object, parent: object, app: Express): void {
  Object.setPrototypeOf(prototype, parent);
  Object.defineProperty(prototype, 'app', { value: app, writable: true, configurable: true });
}

/** Node's code of a request that has not arrived in time. */
const TIMED_OUT = 'ERR_HTTP_REQUEST_TIMEOUT';

/** As Node says it. */
function timedOut(): Error {
  return Object.assign(new Error('Request timeout'), { code: TIMED_OUT });
}

const CLIENT_ERRORS: Readonly<Record<string, ProblemCode>> = {
  [TIMED_OUT]: 'REQUEST_TIMEOUT',
  HPE_HEADER_OVERFLOW: 'HEADERS_TOO_LARGE',
};

/** The request never came to be: too slow, too long, or not HTTP. The answer is written by hand; then the socket closes. */
function answerClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable || isAnswering(socket)) {
    socket.destroy();
    return;
  }
  const code = CLIENT_ERRORS[error.code ?? ''] ?? 'MALFORMED_REQUEST';
  const { status } = PROBLEMS[code];
  const body = problemBody(new Problem(code, error.message));
  socket.end(
    `HTTP/1.1 ${status} ${code}\r\nContent-Type: application/problem+json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n${body}`,
  );
  // What comes behind it is dropped: the parser goes on with what it gets, and would have the rest of the request carried out.
  socket
    .removeAllListeners('data')
    .on('data', () => {})
    .resume();
  const linger = setTimeout(() => socket.destroy(), LINGER_MS).unref();
  socket.once('close', () => clearTimeout(linger));
}

/**
 * Whether a request that came in full is still being answered on this connection. Its client would take any answer for
 * that of its own request, and "nothing happened" could be wrong: a cut connection says that nobody knows. Before it came in
 * full no handler changes anything.
 */
function isAnswering(socket: Duplex): boolean {
  // Node looks at it for the same reason.
  const response = responseOf(socket);
  return response !== undefined && (response.headersSent || response.req.complete);
}
