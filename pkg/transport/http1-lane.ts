import { ownValue, setOwnValue } from '#pkg/base';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

import type { TransportRequest, TransportResponse } from '#pkg/client';
import type { Dispatcher, Pool } from 'undici';

import { exchangeError } from './connection-errors.ts';
import type { Headers } from './credentials.ts';

/** Long enough to be reused between syncs, shorter than what load balancers forget after. */
const KEEP_ALIVE = 30_000;

/** Told whether connections are good for anything. */
export interface ConnectionOutcome {
  answered(): void;
  /** One has ended, and there was no answer as long as it lasted. */
  failed(failure?: Error): void;
}

/** A connection for HTTP/1.1. */
export type Connect = () => Promise<Socket | TLSSocket>;

/**
 * One lane over HTTP/1.1, for servers and proxies that do not speak HTTP/2: undici's pool over our own connections.
 * Each watch holds a connection, so their number is not bounded for reads.
 */
export class Http1Lane {
  readonly #origin: string;
  readonly #connect: Connect;
  readonly #outcome: ConnectionOutcome;
  readonly #connections: number | null;
  readonly #sockets = new Set<Socket | TLSSocket>();
  #pool: Promise<Pool> | undefined;
  #answers = 0;

  constructor(origin: string, connect: Connect, outcome: ConnectionOutcome, connections: number | null) {
    this.#origin = origin;
    this.#connect = connect;
    this.#outcome = outcome;
    this.#connections = connections;
  }

  async request(request: TransportRequest, headers: Headers, path: string): Promise<TransportResponse> {
    const { method, body, signal } = request;
    signal?.throwIfAborted();
    const pool = await (this.#pool ??= this.#createPool());
    request.beforeSend?.();
    try {
      const answer = await pool.request({
        method,
        path,
        headers: { ...headers },
        body: body ?? null,
        ...(signal === undefined ? {} : { signal }),
      });
      this.#answers++;
      this.#outcome.answered();
      return { status: answer.statusCode, headers: plainHeaders(answer.headers), body: readBody(answer.body, request) };
    } catch (error) {
      signal?.throwIfAborted();
      throw exchangeError(error, describe(request));
    }
  }

  /** Idle connections are closed, busy ones when their answer ends; new ones are opened afresh. */
  async drain(): Promise<void> {
    const pool = this.#pool;
    this.#pool = undefined;
    await (await pool)?.close();
  }

  async destroy(error: Error): Promise<void> {
    const pool = this.#pool;
    this.#pool = undefined;
    for (const socket of this.#sockets) socket.destroy(error);
    await (await pool)?.destroy(error);
  }

  get connections(): number {
    return this.#sockets.size;
  }

  async #createPool(): Promise<Pool> {
    const { Pool } = await import('undici');
    return new Pool(this.#origin, {
      connections: this.#connections,
      pipelining: 1,
      allowH2: false,
      keepAliveTimeout: KEEP_ALIVE,
      // Deadlines are the caller's; a watch may be silent for minutes.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: (_options, callback) => void this.#connectFor(callback),
    });
  }

  /** undici's way of asking for a connection. */
  async #connectFor(callback: (...result: [Error, null] | [null, Socket | TLSSocket]) => void): Promise<void> {
    let socket: Socket | TLSSocket;
    try {
      socket = await this.#connect();
    } catch (error) {
      callback(error instanceof Error ? error : new Error(String(error)), null);
      return;
    }
    this.#sockets.add(socket);
    const answersBefore = this.#answers;
    socket.once('close', () => {
      this.#sockets.delete(socket);
      if (this.#answers === answersBefore) this.#outcome.failed();
    });
    callback(null, socket);
  }
}

async function* readBody(
  body: Dispatcher.ResponseData['body'],
  request: TransportRequest,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for await (const chunk of body) yield chunk as Uint8Array;
  } catch (error) {
    request.signal?.throwIfAborted();
    throw exchangeError(error, describe(request));
  }
}

function describe(request: TransportRequest): string {
  return `${request.method} ${request.path}`;
}

function plainHeaders(received: Dispatcher.ResponseData['headers']): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name in received) {
    const value = ownValue(received, name);
    if (value !== undefined) setOwnValue(headers, name, Array.isArray(value) ? value.join(', ') : value);
  }
  return headers;
}
