import { TransportError, type TransportRequest, type TransportResponse } from '#pkg/client';
import { silentLogger } from '#pkg/log';
import { FakeClock, Http2Peer, bytesOf, rawFrame, rawHeaders, rawNumber, rawSettings } from '#pkg/testing';

import { FLAG, FRAME } from './frames.ts';
import { Http2Session, type SessionOptions } from './http2-session.ts';
import { Unprocessed } from './unprocessed.ts';

export const TIMES = { readIdle: 30_000, pingTimeout: 15_000, idle: 90_000 };
export const OK = rawHeaders([':status', '200']);
const GET: TransportRequest = { method: 'GET', path: '/', headers: {}, lane: 'read' };

/** A session whose server is played by the test, and what became of its requests. */
export class SessionWorld {
  readonly peer = new Http2Peer();
  readonly clock = new FakeClock();
  readonly told: string[] = [];
  readonly session: Http2Session;

  constructor(options: Partial<SessionOptions> = {}) {
    this.session = new Http2Session(this.peer.socket, {
      origin: 'https://server:6443',
      clock: this.clock,
      log: silentLogger,
      times: TIMES,
      onRoom: () => this.told.push('room'),
      onChange: () => this.told.push('change'),
      onAnswer: () => this.told.push('answer'),
      onClose: () => this.told.push('close'),
      ...options,
    });
  }

  /** The server has said its settings. */
  static async greeted(...settings: readonly (readonly [id: number, value: number])[]): Promise<SessionWorld> {
    const world = new SessionWorld();
    await world.give(rawSettings(...settings));
    return world;
  }

  /** Requests sent by `ask` have the ids 1, 3, 5 ... */
  ask(request: Partial<TransportRequest> = {}): Promise<TransportResponse> {
    if (!this.session.reserve()) throw new Error('no room');
    const whole = { ...GET, ...request };
    const response = this.session.request(whole, whole.headers, whole.path);
    response.catch(() => {});
    return response;
  }

  async give(...frames: readonly Buffer[]): Promise<void> {
    this.peer.send(...frames);
    await this.peer.turn();
  }

  /** Codes with which the client has ended this stream. */
  resets(stream: number): number[] {
    return this.peer.sent(FRAME.RST_STREAM, stream).map(({ payload }) => payload.readUInt32BE());
  }

  /** The code with which the client has ended the connection. */
  get goneWith(): number | undefined {
    return this.peer.sent(FRAME.GOAWAY)[0]?.payload.readUInt32BE(4);
  }
}

/** `200 <body>`, `unprocessed`, or the error's code and message. */
export async function outcomeOf(request: Promise<TransportResponse>): Promise<string> {
  try {
    const response = await request;
    return `${response.status} ${String(await bytesOf(response))}`;
  } catch (error) {
    if (error instanceof Unprocessed) return 'unprocessed';
    return error instanceof TransportError ? `${error.code}: ${error.message}` : String(error);
  }
}

/** The head of an answer, and its end as well unless there is more. */
export function head(
  stream: number,
  last = false,
  ...headers: readonly (readonly [name: string, value: string])[]
): Buffer {
  return rawFrame(
    FRAME.HEADERS,
    FLAG.END_HEADERS | (last ? FLAG.END_STREAM : 0),
    stream,
    Buffer.concat([OK, rawHeaders(...headers)]),
  );
}

export function data(stream: number, bytes: string | Uint8Array, last = false): Buffer {
  return rawFrame(FRAME.DATA, last ? FLAG.END_STREAM : 0, stream, bytes);
}

export function goAway(last: number, code = 0): Buffer {
  return rawFrame(FRAME.GOAWAY, 0, 0, Buffer.concat([rawNumber(last, 4), rawNumber(code, 4)]));
}

export function reset(stream: number, code: number): Buffer {
  return rawFrame(FRAME.RST_STREAM, 0, stream, rawNumber(code, 4));
}

export function window(stream: number, more: number): Buffer {
  return rawFrame(FRAME.WINDOW_UPDATE, 0, stream, rawNumber(more, 4));
}

export function ping(content = 'whatever'): Buffer {
  return rawFrame(FRAME.PING, 0, 0, content);
}
