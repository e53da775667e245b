import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

import type { Clock, Timer } from '#pkg/base';
import { TransportError, type TransportRequest, type TransportResponse } from '#pkg/client';
import type { Logger } from '#pkg/log';

import { connectionError, exchangeError } from './connection-errors.ts';
import type { Headers } from './credentials.ts';
import { Http2Body } from './http2-body.ts';

/** Go's `http2.Transport`: 4 MiB a stream; the connection's window is there to be out of the way. */
const STREAM_WINDOW = 4 * 1024 * 1024;
const CONNECTION_WINDOW = 1024 * 1024 * 1024;
/** A peer that has accepted the connection says its settings at once; silence for this long, ms, means it is stuck. */
const SETTINGS_TIMEOUT = 10_000;
/** Node ends streams of a session that holds more MiB than this; 10 by default, less than a handful of lists. */
const SESSION_MEMORY = 4096;

export interface SessionTimes {
  /** Silence after which the peer is asked for a sign of life, ms. */
  readonly readIdle: number;
  /** Silence after the question, after which it is given up, ms. */
  readonly pingTimeout: number;
  /** With no stream for so long, the connection is closed, ms. */
  readonly idle: number;
}

export interface SessionOptions {
  readonly origin: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly times: SessionTimes;
  /** A stream ended: there is room for another. */
  readonly onRoom: () => void;
  /** It takes more streams than before, or none any more. */
  readonly onChange: () => void;
  /** The peer has answered a request; told once. */
  readonly onAnswer: () => void;
  readonly onClose: () => void;
}

/** The request did not reach the application: it is safe to send again elsewhere, whatever it was. */
export class Unprocessed extends Error {}

/** One HTTP/2 connection: counts streams, pings a silent peer, and takes no new streams once either side ends it. */
export class Http2Session {
  readonly #session: ClientHttp2Session;
  readonly #socket: Socket | TLSSocket;
  readonly #options: SessionOptions;
  readonly #settled = Promise.withResolvers<void>();
  #streams = 0;
  #limit = 0;
  #draining = false;
  #answered = false;
  #failure: TransportError | undefined;
  #bytesSeen = 0;
  #watchdog: Timer | undefined;
  #idleTimer: Timer | undefined;

  constructor(socket: Socket | TLSSocket, options: SessionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#session = connect(options.origin, {
      createConnection: () => socket,
      maxSessionMemory: SESSION_MEMORY,
      settings: { enablePush: false, initialWindowSize: STREAM_WINDOW },
    });
    this.#session.once('connect', () => this.#session.setLocalWindowSize(CONNECTION_WINDOW));
    this.#session.on('remoteSettings', (settings) => {
      this.#limit = settings.maxConcurrentStreams ?? Number.POSITIVE_INFINITY;
      this.#settled.resolve();
      options.onChange();
    });
    this.#session.on('goaway', (code: number) => {
      options.log.v(4)?.info('The server asks to use another connection', { server: options.origin, code });
      this.drain();
    });
    this.#session.on('error', (error) => (this.#failure ??= exchangeError(error, options.origin)));
    this.#session.once('close', () => this.#onClose());
    // Node tells the session of neither: a TLS alert that comes late (a client certificate refused) ends nothing.
    socket.on('error', (error) => this.destroy(connectionError(error, options.origin)));
    socket.once('close', () => this.destroy(new TransportError('reset', `${options.origin}: connection closed by peer`)));
    if (socket.destroyed) setImmediate(() => this.#session.destroy());
    // Nobody may be waiting for it any more.
    this.#settled.promise.catch(() => {});
    this.#armWatchdog();
    this.#armIdle();
  }

  /**
   * Resolves when the peer has said how many streams it takes. More than that would wait inside the connection, where
   * nobody can send them elsewhere. Rejects when the connection ends first.
   */
  async opened(): Promise<void> {
    const { clock, origin } = this.#options;
    const timer = clock.setTimeout(() => {
      this.destroy(new TransportError('timeout', `cannot reach ${origin}: no HTTP/2 settings within ${SETTINGS_TIMEOUT / 1000} s`));
    }, SETTINGS_TIMEOUT);
    try {
      await this.#settled.promise;
    } finally {
      timer.cancel();
    }
  }

  /** It has been good for something. */
  get answered(): boolean {
    return this.#answered;
  }

  /** Why it ended, once it has; undefined for a good end. */
  get failure(): TransportError | undefined {
    return this.#failure;
  }

  /** Open to new streams at all. */
  get usable(): boolean {
    return !this.#draining && !this.#session.closed && !this.#session.destroyed;
  }

  /** Sets a stream aside, if there is one; exactly one `request` must follow. */
  reserve(): boolean {
    if (!this.usable || this.#streams >= this.#limit) return false;
    this.#streams++;
    this.#idleTimer?.cancel();
    this.#idleTimer = undefined;
    return true;
  }

  /** No new streams; ends when those under way have. */
  drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    if (!this.#session.closed) this.#session.close();
    this.#options.onChange();
  }

  /** Ends now; streams under way reject with `error`. */
  destroy(error: TransportError): void {
    this.#failure ??= error;
    this.#draining = true;
    if (!this.#session.destroyed) this.#session.destroy();
    this.#socket.destroy();
  }

  /** Uses a reserved stream. Resolves at the answer's head. Rejects with {@link Unprocessed} when it may be sent on another session. */
  request(request: TransportRequest, headers: Headers, path: string): Promise<TransportResponse> {
    return new Promise((resolve, reject) => {
      const { signal, body } = request;
      let stream: ClientHttp2Stream;
      try {
        request.beforeSend?.();
      } catch (refusal) {
        this.#release();
        reject(refusal);
        return;
      }
      try {
        const head = { [constants.HTTP2_HEADER_METHOD]: request.method, [constants.HTTP2_HEADER_PATH]: path, ...headers };
        stream = this.#session.request(head, { endStream: body === undefined });
      } catch (cause) {
        this.#release();
        reject(new Unprocessed('the connection is ending', { cause }));
        return;
      }
      let failure: unknown;
      let head: Http2Body | undefined;
      const fail = (): unknown => failure ?? this.#failure ?? closedEarly(request, stream);
      const onAbort = (): void => {
        failure = signal?.reason;
        stream.close(constants.NGHTTP2_CANCEL);
        if (head === undefined) reject(failure);
      };
      signal?.addEventListener('abort', onAbort);
      stream.on('error', (error) => (failure ??= this.#failure ?? exchangeError(error, describe(request))));
      stream.once('response', (received) => {
        this.#noteAnswer();
        head = new Http2Body(stream, fail);
        resolve({ status: received[':status'] ?? 0, headers: plainHeaders(received), body: head });
      });
      stream.once('close', () => {
        signal?.removeEventListener('abort', onAbort);
        this.#release();
        const refused = head === undefined && stream.rstCode === constants.NGHTTP2_REFUSED_STREAM && !signal?.aborted;
        if (head === undefined) reject(refused ? new Unprocessed('the stream was refused') : fail());
      });
      if (body !== undefined) stream.end(body);
    });
  }

  #noteAnswer(): void {
    if (this.#answered) return;
    this.#answered = true;
    this.#options.onAnswer();
  }

  #release(): void {
    this.#streams--;
    if (this.#streams === 0 && this.usable) this.#armIdle();
    this.#options.onRoom();
  }

  #armIdle(): void {
    this.#idleTimer = this.#options.clock.setTimeout(() => this.drain(), this.#options.times.idle);
  }

  #armWatchdog(): void {
    this.#bytesSeen = this.#socket.bytesRead;
    this.#watchdog = this.#options.clock.setTimeout(() => {
      if (this.#socket.bytesRead === this.#bytesSeen) this.#ping();
      else this.#armWatchdog();
    }, this.#options.times.readIdle);
  }

  #ping(): void {
    const { clock, times, origin } = this.#options;
    const seconds = (times.readIdle + times.pingTimeout) / 1000;
    this.#watchdog = clock.setTimeout(() => {
      this.destroy(new TransportError('reset', `${origin}: connection lost, the server is silent for ${seconds} s`, { target: origin }));
    }, times.pingTimeout);
    const asked = this.#session.destroyed
      ? false
      : this.#session.ping((error) => {
          if (error !== null || this.#session.destroyed) return;
          this.#watchdog?.cancel();
          this.#armWatchdog();
        });
    if (!asked) this.#options.log.v(4)?.info('The connection cannot be pinged', { server: origin });
  }

  #onClose(): void {
    this.#draining = true;
    this.#watchdog?.cancel();
    this.#idleTimer?.cancel();
    this.#socket.destroy();
    this.#settled.reject(this.#failure ?? new TransportError('reset', `${this.#options.origin}: connection closed by peer`));
    this.#options.onClose();
  }
}

function describe(request: TransportRequest): string {
  return `${request.method} ${request.path}`;
}

function closedEarly(request: TransportRequest, stream: ClientHttp2Stream): TransportError {
  const code = stream.rstCode === undefined || stream.rstCode === 0 ? '' : ` (HTTP/2 code ${stream.rstCode})`;
  return new TransportError('reset', `${describe(request)}: connection closed before the answer's end${code}`, { target: describe(request) });
}

function plainHeaders(received: object): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(received) as [string, string | readonly string[] | number][]) {
    if (name.charCodeAt(0) === 0x3a) continue;
    headers[name] = typeof value === 'string' ? value : Array.isArray(value) ? value.join(', ') : String(value);
  }
  return headers;
}
