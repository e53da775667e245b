import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

import { type Clock, type Random, systemClock, systemRandom } from '#pkg/base';
import { type Lane, type Transport, TransportError, type TransportRequest, type TransportResponse } from '#pkg/client';
import { type Logger, silentLogger } from '#pkg/log';
import type { Metrics } from '#pkg/metrics';

import { connectionError } from './connection-errors.ts';
import { type Credentials, type Headers, anonymous } from './credentials.ts';
import { Deadline } from './deadline.ts';
import { DialBackoff } from './dial-backoff.ts';
import { dial } from './dial.ts';
import { gunzipped } from './gunzip.ts';
import { type ConnectionOutcome, Http1Lane } from './http1-lane.ts';
import { Http2Session, type SessionTimes } from './http2/http2-session.ts';
import { Unprocessed } from './http2/unprocessed.ts';
import { orAborted } from './or-aborted.ts';
import { type Environment, proxyFor } from './proxy-choice.ts';
import { SessionPool } from './session-pool.ts';
import { type TlsMaterial, TlsMaterialSource, type TlsSources } from './tls-material.ts';
import { noTransportMetrics, transportMetrics } from './transport-metrics.ts';

export interface HttpTransportOptions {
  /** `https://host:port`, with a path when the API is served below one. */
  readonly server: string;
  readonly tls?: TlsSources;
  readonly credentials?: Credentials;
  /** Overrides the proxy variables of the environment. */
  readonly proxyUrl?: string;
  readonly environment?: Environment;
  /**
   * Asks for gzip. Off as in upstream's controller manager: on a cluster's network, inflating costs more than the bytes.
   */
  readonly compression?: boolean;
  /** `http1` never tries HTTP/2. */
  readonly protocol?: 'auto' | 'http1';
  readonly clock?: Clock;
  readonly random?: Random;
  readonly log?: Logger;
  readonly metrics?: Metrics;
  readonly times?: Partial<SessionTimes>;
}

/** `ReadIdleTimeout` and `PingTimeout` as apimachinery sets them for Go's HTTP/2; idle connections as Go's default transport. */
const TIMES: SessionTimes = { readIdle: 30_000, pingTimeout: 15_000, idle: 90_000 };
/** Connections a lane may hold. Only reads hold streams for long; the rest waits its turn. */
const MOST_SESSIONS: Readonly<Record<Lane, number>> = { read: 16, write: 2, lease: 1 };
const MOST_HTTP1: Readonly<Record<Lane, number | null>> = { read: null, write: 32, lease: 2 };
/** A stream may be refused by a connection that is just ending, hardly by three in a row. */
const MOST_REFUSALS = 5;

/**
 * HTTP/2 to an API server over one connection a lane, opened when first needed; HTTP/1.1 where the server or a proxy
 * does not speak HTTP/2.
 */
export function createHttpTransport(options: HttpTransportOptions): Transport {
  return new HttpTransport(options);
}

interface Dialed {
  readonly socket: Socket | TLSSocket;
  /** What it was made with. */
  readonly material: TlsMaterial | undefined;
}

class HttpTransport implements Transport {
  readonly host: string;
  readonly #options: HttpTransportOptions;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #metrics;
  readonly #server: URL;
  readonly #prefix: string;
  readonly #credentials: Credentials;
  readonly #tls: TlsMaterialSource | undefined;
  readonly #backoff: DialBackoff;
  readonly #ending = new AbortController();
  readonly #pools = new Map<Lane, SessionPool>();
  readonly #http1 = new Map<Lane, Http1Lane>();
  #protocol: 'h2' | 'http1' | 'unknown';
  /** What open connections were made with: when it changes, they are only used up. */
  #material: TlsMaterial | undefined;

  constructor(options: HttpTransportOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#log = options.log ?? silentLogger;
    this.#backoff = new DialBackoff(this.#clock, options.random ?? systemRandom);
    const { metrics } = options;
    this.#metrics = metrics ? transportMetrics(metrics, () => this.#clock.now()) : noTransportMetrics;
    this.#server = new URL(options.server);
    this.#prefix = this.#server.pathname.replace(/\/+$/, '');
    this.host = /^[a-z]+:\/\/(?:[^/@]*@)?([^/]+)/i.exec(options.server)?.[1] ?? this.#server.host;
    this.#credentials = options.credentials ?? anonymous;
    const secure = this.#server.protocol === 'https:';
    this.#tls = secure ? new TlsMaterialSource(options.tls ?? {}, this.#clock, this.#log) : undefined;
    this.#protocol = !secure || options.protocol === 'http1' ? 'http1' : 'unknown';
    this.#metrics.created();
  }

  async roundTrip(request: TransportRequest): Promise<TransportResponse> {
    if (request.timeout === undefined) return this.#exchange(request);
    const deadline = new Deadline(this.#clock, request);
    try {
      const response = await this.#exchange({ ...request, signal: deadline.signal });
      return { ...response, body: deadline.lasting(response.body) };
    } catch (error) {
      deadline.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    if (this.#ending.signal.aborted) return;
    const error = closedError();
    this.#ending.abort(error);
    this.#metrics.closed();
    for (const pool of this.#pools.values()) pool.destroy(error);
    await Promise.all([...this.#http1.values()].map((lane) => lane.destroy(error)));
  }

  async #exchange(request: TransportRequest): Promise<TransportResponse> {
    const path = this.#prefix + request.path;
    for (let again = false; ; again = true) {
      this.#ending.signal.throwIfAborted();
      request.signal?.throwIfAborted();
      const own = 'authorization' in request.headers ? {} : this.#credentials.headers();
      const credentials = own instanceof Promise ? await orAborted(own, request.signal) : own;
      const response = await this.#send(request, this.#headers(request, credentials), path);
      if (response.status !== 401 || again || 'authorization' in request.headers)
        return this.#inflated(request, response);
      if (!(await this.#credentials.refused?.(credentials))) return this.#inflated(request, response);
      // Leaving the loop at once lets go of the refused answer.
      for await (const _ of response.body) break;
    }
  }

  #inflated(request: TransportRequest, response: TransportResponse): TransportResponse {
    try {
      return gunzipped(response, this.#asksForGzip(request));
    } catch (error) {
      // Nobody will read the body.
      void response.body[Symbol.asyncIterator]().return?.();
      throw error;
    }
  }

  #asksForGzip({ method }: TransportRequest): boolean {
    return this.#options.compression === true && method === 'GET';
  }

  #headers(request: TransportRequest, credentials: Headers): Headers {
    const length = request.body === undefined ? undefined : Buffer.byteLength(request.body);
    return {
      ...request.headers,
      ...credentials,
      ...(length === undefined ? {} : { 'content-length': String(length) }),
      ...(this.#asksForGzip(request) ? { 'accept-encoding': 'gzip' } : {}),
    };
  }

  async #send(request: TransportRequest, headers: Headers, path: string): Promise<TransportResponse> {
    const rotating = this.#rotate();
    if (rotating !== undefined) await orAborted(rotating, request.signal);
    for (let refusals = 0; ; refusals++) {
      if (this.#protocol === 'http1') return this.#http1Lane(request.lane).request(request, headers, path);
      try {
        const session = await this.#pool(request.lane).acquire(request.signal);
        return await session.request(request, headers, path);
      } catch (error) {
        this.#ending.signal.throwIfAborted();
        if (error === NO_HTTP2) continue;
        if (!(error instanceof Unprocessed)) throw error;
        if (refusals >= MOST_REFUSALS) throw refusedError(request, error);
      }
    }
  }

  /** Certificates may have changed on disk or in the plugin: what is connected with the old ones takes no new requests. */
  #rotate(): Promise<void> | undefined {
    if (this.#tls === undefined) return undefined;
    const certificate = this.#credentials.clientCertificate?.();
    if (certificate instanceof Promise) return certificate.then((client) => this.#use(this.#tls!.current(client)));
    const material = this.#tls.current(certificate);
    return material === this.#material ? undefined : this.#use(material);
  }

  async #use(current: TlsMaterial | Promise<TlsMaterial>): Promise<void> {
    const material = await current;
    if (material === this.#material) return;
    this.#material = material;
    for (const pool of this.#pools.values()) pool.drain();
    for (const lane of this.#http1.values()) void lane.drain();
  }

  #pool(lane: Lane): SessionPool {
    let pool = this.#pools.get(lane);
    if (pool === undefined) {
      pool = new SessionPool((owner) => this.#openSession(owner, lane), MOST_SESSIONS[lane]);
      this.#pools.set(lane, pool);
    }
    return pool;
  }

  #http1Lane(lane: Lane): Http1Lane {
    let own = this.#http1.get(lane);
    if (own === undefined) {
      own = new Http1Lane(
        this.#server.origin,
        async () => (await this.#dial(['http/1.1'], lane)).socket,
        this.#outcome(lane),
        MOST_HTTP1[lane],
      );
      this.#http1.set(lane, own);
    }
    return own;
  }

  async #openSession(pool: SessionPool, lane: Lane): Promise<Http2Session> {
    const { socket, material } = await this.#dial(['h2', 'http/1.1'], lane);
    if (!('alpnProtocol' in socket) || socket.alpnProtocol !== 'h2') {
      socket.destroy();
      this.#protocol = 'http1';
      this.#log.v(2)?.info('The server does not speak HTTP/2: using HTTP/1.1', { server: this.#server.origin });
      throw NO_HTTP2;
    }
    const outcome = this.#outcome(lane);
    const session: Http2Session = new Http2Session(socket, {
      origin: this.#server.origin,
      clock: this.#clock,
      log: this.#log,
      times: { ...TIMES, ...this.#options.times },
      onRoom: () => pool.notify(),
      onChange: () => pool.notifyAll(),
      onAnswer: () => outcome.answered(),
      onClose: () => {
        // What was given up for a new certificate says nothing of the server.
        const replaced = session.failure === undefined && this.#material !== material;
        if (!session.answered && !replaced) outcome.failed(session.failure);
        pool.remove(session);
      },
    });
    const onEnding = (): void => session.destroy(closedError());
    this.#ending.signal.addEventListener('abort', onEnding);
    await session.opened().finally(() => this.#ending.signal.removeEventListener('abort', onEnding));
    if (this.#material !== material) session.drain();
    return session;
  }

  async #dial(protocols: readonly ('h2' | 'http/1.1')[], lane: Lane): Promise<Dialed> {
    if (lane !== 'lease') await this.#backoff.turn(this.#ending.signal);
    const material = this.#material;
    try {
      const socket = await dial({
        server: this.#server,
        proxy: proxyFor(this.#server, this.#options.proxyUrl, this.#options.environment ?? process.env),
        tls: material,
        protocols,
        clock: this.#clock,
        signal: this.#ending.signal,
        onResolved: (host, seconds) => this.#metrics.resolved(host, seconds),
      });
      if (this.#ending.signal.aborted) socket.destroy();
      this.#ending.signal.throwIfAborted();
      if (lane !== 'lease') this.#backoff.opened();
      return { socket, material };
    } catch (error) {
      this.#outcome(lane).failed(connectionError(error, this.#server.origin));
      throw error;
    }
  }

  /** The lease's holder tries every few seconds by itself, and must not find its time used up by waiting. */
  #outcome(lane: Lane): ConnectionOutcome {
    return {
      answered: () => this.#backoff.answered(),
      failed: (failure = unanswered(this.#server.origin)) =>
        lane === 'lease' ? undefined : this.#backoff.failed(failure),
    };
  }
}

const NO_HTTP2 = new Error('the server does not speak HTTP/2');

function closedError(): TransportError {
  return new TransportError('closed', 'the transport is closed');
}

function unanswered(target: string): TransportError {
  return new TransportError('reset', `cannot reach ${target}: connection closed by peer`, { target });
}

function refusedError(request: TransportRequest, cause: Error): TransportError {
  const target = `${request.method} ${request.path}`;
  return new TransportError('reset', `${target}: the server refuses every stream`, { target }, { cause });
}
