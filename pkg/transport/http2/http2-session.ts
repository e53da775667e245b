import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

import type { Clock, Timer } from '#pkg/base';
import { TransportError, type TransportRequest, type TransportResponse } from '#pkg/client';
import type { Logger } from '#pkg/log';

import { connectionError } from '../connection-errors.ts';
import type { Headers } from '../credentials.ts';
import {
  CODE,
  DEFAULT_FRAME_SIZE,
  DEFAULT_WINDOW,
  FLAG,
  FRAME,
  FrameReader,
  LARGEST_WINDOW,
  ProtocolError,
  SETTING,
  frame,
  frameHead,
  goAwayFrame,
  headerBlock,
  numberFrame,
  settingsFrame,
  withoutPadding,
} from './frames.ts';
import { HeaderDecoder } from './header-decoder.ts';
import { HeaderEncoder } from './header-encoder.ts';
import { Http2Stream, STREAM_WINDOW, type StreamOwner } from './http2-stream.ts';

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
/** The connection's window is there to be out of the way: streams have their own. */
const CONNECTION_WINDOW = 1024 * 1024 * 1024;
/** Bytes of one block of headers, beyond which the peer is not speaking our language. */
const LARGEST_HEADERS = 1024 * 1024;
/** A peer that has accepted the connection says its settings at once; silence for this long, ms, means it is stuck. */
const SETTINGS_TIMEOUT = 10_000;
/** Numbers of streams are not used twice; when they run out, another connection has new ones. */
const LAST_STREAM = 2 ** 31 - 1;
const PING = Buffer.from('watchdog', 'latin1');

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

/** The beginning of a block of headers, with the flags of its first frame. */
interface HeaderParts {
  readonly id: number;
  readonly flags: number;
  readonly parts: Buffer[];
  length: number;
}

/**
 * The client's side of one HTTP/2 connection (RFC 9113): sends requests as streams, counts them, pings a silent peer, and
 * takes no new streams once either side ends it.
 *
 * Written for what an API server is asked: many small exchanges, and watches that last. Node's own client makes of each
 * stream a `Duplex` with its handle, listeners and ticks, which costs several times what the exchange itself does.
 * What is to be sent is gathered for one turn of the event loop and written at once.
 */
export class Http2Session implements StreamOwner {
  readonly #socket: Socket | TLSSocket;
  readonly #options: SessionOptions;
  readonly #authority: string;
  readonly #settled = Promise.withResolvers<void>();
  readonly #reader = new FrameReader((type, flags, id, payload) => this.#onFrame(type, flags, id, payload), DEFAULT_FRAME_SIZE);
  readonly #encoder = new HeaderEncoder();
  readonly #decoder = new HeaderDecoder();
  readonly #streams = new Map<number, Http2Stream>();
  /** Taken, and not sent yet. */
  #queue: Http2Stream[] = [];
  /** Those of which the body waits for the peer to take more. */
  readonly #held = new Set<Http2Stream>();
  #out: Buffer[] = [];
  #flushing = false;
  #reserved = 0;
  /** The peer has said its settings, which come first. */
  #greeted = false;
  #limit = 0;
  #nextId = 1;
  #draining = false;
  #closed = false;
  #answered = false;
  #failure: TransportError | undefined;
  #sendWindow = DEFAULT_WINDOW;
  #streamWindow = DEFAULT_WINDOW;
  #frameSize = DEFAULT_FRAME_SIZE;
  /** Received since the connection's window was last filled up. */
  #received = 0;
  /** A block of headers of which only the beginning has come. */
  #headers: HeaderParts | undefined;
  #onPong: (() => void) | undefined;
  #bytesSeen = 0;
  #watchdog: Timer | undefined;
  #idleTimer: Timer | undefined;

  constructor(socket: Socket | TLSSocket, options: SessionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#authority = new URL(options.origin).host;
    const settings = settingsFrame([
      [SETTING.ENABLE_PUSH, 0],
      [SETTING.INITIAL_WINDOW_SIZE, STREAM_WINDOW],
    ]);
    socket.write(Buffer.concat([PREFACE, settings, numberFrame(FRAME.WINDOW_UPDATE, 0, CONNECTION_WINDOW - DEFAULT_WINDOW)]));
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    // A TLS alert may come late, as when a client certificate is refused.
    socket.on('error', (error) => this.destroy(connectionError(error, options.origin)));
    socket.once('close', () => this.destroy(new TransportError('reset', `${options.origin}: connection closed by peer`)));
    if (socket.destroyed) setImmediate(() => this.destroy(new TransportError('reset', `${options.origin}: connection closed by peer`)));
    // Nobody may be waiting for it any more.
    this.#settled.promise.catch(() => {});
    this.#armWatchdog();
    this.#armIdle();
  }

  /**
   * Resolves when the peer has said how many streams it takes: those beyond it are better off on another connection.
   * Rejects when the connection ends first.
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
    return !this.#draining && !this.#closed;
  }

  /** Sets a stream aside, if there is one; exactly one `request` must follow. */
  reserve(): boolean {
    if (!this.usable || this.#reserved >= this.#limit) return false;
    this.#reserved++;
    this.#idleTimer?.cancel();
    this.#idleTimer = undefined;
    return true;
  }

  /** No new streams; ends when those under way have. */
  drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    this.#endIfDone();
    this.#options.onChange();
  }

  /** Ends now; streams under way reject with `error`. */
  destroy(error: TransportError): void {
    this.#close(error);
    this.#socket.destroy();
  }

  /** Uses a reserved stream. Resolves at the answer's head. Rejects with {@link Unprocessed} when it may be sent on another session. */
  request(request: TransportRequest, headers: Headers, path: string): Promise<TransportResponse> {
    return new Promise((resolve, reject) => {
      const stream = new Http2Stream({ owner: this, request, headers: this.#headersOf(request, headers, path), resolve, reject });
      if (this.#closed) {
        stream.fail(new Unprocessed('the connection has ended', { cause: this.#failure }));
      } else {
        this.#queue.push(stream);
        this.#flushSoon();
      }
    });
  }

  grant({ id }: Http2Stream, bytes: number): void {
    if (id !== undefined) this.#send(numberFrame(FRAME.WINDOW_UPDATE, id, bytes));
  }

  cancel({ id }: Http2Stream, code: number): void {
    if (id !== undefined) this.#send(numberFrame(FRAME.RST_STREAM, id, code));
  }

  ended(stream: Http2Stream): void {
    if (stream.id !== undefined) this.#streams.delete(stream.id);
    this.#held.delete(stream);
    this.#reserved--;
    if (this.#reserved === 0) {
      if (this.usable) this.#armIdle();
      else this.#endIfDone();
    }
    this.#options.onRoom();
  }

  failureOf(stream: Http2Stream): unknown {
    if (stream.code === CODE.REFUSED_STREAM && !stream.answered) return new Unprocessed('the stream was refused');
    return this.#failure ?? closedEarly(stream);
  }

  #headersOf({ method }: TransportRequest, headers: Headers, path: string): readonly string[] {
    const all = [':method', method, ':scheme', 'https', ':authority', this.#authority, ':path', path];
    for (const given in headers) {
      const name = given.toLowerCase();
      const value = headers[given]!;
      if (typeof value === 'string') all.push(name, value);
      else for (const one of value) all.push(name, one);
    }
    return all;
  }

  /** Frames written in one turn of the event loop go out together, which saves records, system calls and packets. */
  #flushSoon(): void {
    if (this.#flushing || this.#closed) return;
    this.#flushing = true;
    setImmediate(() => {
      this.#flushing = false;
      this.#flush();
    });
  }

  #send(bytes: Buffer): void {
    this.#out.push(bytes);
    this.#flushSoon();
  }

  #flush(): void {
    if (this.#closed) return;
    const { length } = this.#queue;
    for (let i = 0; i < length; i++) this.#sendRequest(this.#queue[i]!);
    this.#queue = this.#queue.slice(length);
    const out = this.#out;
    this.#out = [];
    if (out.length > 0) this.#socket.write(out.length === 1 ? out[0]! : Buffer.concat(out));
    this.#endIfDone();
  }

  #sendRequest(stream: Http2Stream): void {
    if (stream.over) return;
    try {
      stream.request.beforeSend?.();
      const block = this.#encoder.encode(stream.headers);
      stream.id = this.#nextId;
      this.#nextId += 2;
      if (this.#nextId > LAST_STREAM) this.drain();
      this.#streams.set(stream.id, stream);
      stream.sendWindow = this.#streamWindow;
      this.#sendHeaders(stream.id, block, stream.unsent.length === 0 && stream.request.body === undefined);
    } catch (refusal) {
      stream.fail(refusal);
      return;
    }
    if (stream.request.body !== undefined) this.#sendBody(stream);
  }

  #sendHeaders(id: number, block: Buffer, last: boolean): void {
    let flags = last ? FLAG.END_STREAM : 0;
    let type: number = FRAME.HEADERS;
    let at = 0;
    for (;;) {
      const end = Math.min(block.length, at + this.#frameSize);
      if (end === block.length) flags |= FLAG.END_HEADERS;
      this.#out.push(frame(type, flags, id, block.subarray(at, end)));
      if (end === block.length) return;
      [at, flags, type] = [end, 0, FRAME.CONTINUATION];
    }
  }

  /** As much of the body as the peer takes now; the rest goes when it takes more. */
  #sendBody(stream: Http2Stream): void {
    for (;;) {
      const { unsent } = stream;
      const length = Math.min(unsent.length, this.#frameSize, this.#sendWindow, stream.sendWindow);
      if (length <= 0 && unsent.length > 0) {
        this.#held.add(stream);
        return;
      }
      const last = length === unsent.length;
      this.#out.push(frameHead(FRAME.DATA, last ? FLAG.END_STREAM : 0, stream.id!, length), unsent.subarray(0, length));
      this.#sendWindow -= length;
      stream.sendWindow -= length;
      stream.unsent = unsent.subarray(length);
      if (last) {
        this.#held.delete(stream);
        return;
      }
    }
  }

  #sendHeld(): void {
    for (const stream of this.#held) this.#sendBody(stream);
    this.#flushSoon();
  }

  #onData(chunk: Buffer): void {
    if (this.#closed) return;
    try {
      this.#reader.push(chunk);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#socket.write(goAwayFrame(0, error.code));
      const { origin } = this.#options;
      this.destroy(new TransportError('protocol', `${origin}: not a proper HTTP answer (${error.message})`, { target: origin }, { cause: error }));
    }
  }

  #onFrame(type: number, flags: number, id: number, payload: Buffer): void {
    if (this.#closed) return;
    if (!this.#greeted && type !== FRAME.SETTINGS) throw new ProtocolError(CODE.PROTOCOL_ERROR, 'no HTTP/2 settings at its beginning');
    if (this.#headers !== undefined && (type !== FRAME.CONTINUATION || id !== this.#headers.id)) {
      throw new ProtocolError(CODE.PROTOCOL_ERROR, 'a frame within a block of headers');
    }
    switch (type) {
      case FRAME.DATA:
        this.#onDataFrame(flags, id, payload);
        return;
      case FRAME.HEADERS:
        this.#onHeaderPart({ id, flags, parts: [], length: 0 }, flags, headerBlock(flags, payload));
        return;
      case FRAME.CONTINUATION:
        if (this.#headers === undefined) throw new ProtocolError(CODE.PROTOCOL_ERROR, 'headers that go on without a beginning');
        this.#onHeaderPart(this.#headers, flags, payload);
        return;
      case FRAME.RST_STREAM:
        if (payload.length !== 4) throw new ProtocolError(CODE.FRAME_SIZE_ERROR, 'a reset of the wrong size');
        this.#streams.get(id)?.reset(payload.readUInt32BE());
        return;
      case FRAME.SETTINGS:
        this.#onSettings(flags, payload);
        return;
      case FRAME.PING:
        if (payload.length !== 8) throw new ProtocolError(CODE.FRAME_SIZE_ERROR, 'a ping of the wrong size');
        if ((flags & FLAG.ACK) === 0) this.#send(frame(FRAME.PING, FLAG.ACK, 0, payload));
        else if (payload.equals(PING)) this.#onPong?.();
        return;
      case FRAME.GOAWAY:
        this.#onGoAway(payload);
        return;
      case FRAME.WINDOW_UPDATE:
        this.#onWindowUpdate(id, payload);
        return;
      case FRAME.PUSH_PROMISE:
        throw new ProtocolError(CODE.PROTOCOL_ERROR, 'an answer that nobody asked for');
      default:
      // Extensions are to be ignored, priorities mean nothing to a client.
    }
  }

  #onDataFrame(flags: number, id: number, payload: Buffer): void {
    this.#received += payload.length;
    if (this.#received >= CONNECTION_WINDOW / 2) {
      this.#send(numberFrame(FRAME.WINDOW_UPDATE, 0, this.#received));
      this.#received = 0;
    }
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    if (!stream.takeData(withoutPadding(flags, payload), payload.length)) {
      throw new ProtocolError(CODE.FLOW_CONTROL_ERROR, 'more bytes than were asked for');
    }
    if ((flags & FLAG.END_STREAM) !== 0) this.#endStream(stream);
  }

  #onHeaderPart(headers: HeaderParts, flags: number, part: Buffer): void {
    headers.parts.push(part);
    headers.length += part.length;
    if (headers.length > LARGEST_HEADERS) throw new ProtocolError(CODE.ENHANCE_YOUR_CALM, 'more than 1 MiB of headers');
    if ((flags & FLAG.END_HEADERS) === 0) {
      this.#headers = headers;
      return;
    }
    this.#headers = undefined;
    const received = this.#decode(headers.parts.length === 1 ? part : Buffer.concat(headers.parts));
    const stream = this.#streams.get(headers.id);
    if (stream === undefined) return;
    stream.takeHeaders(received);
    if (stream.answered) this.#noteAnswer();
    if ((headers.flags & FLAG.END_STREAM) !== 0) this.#endStream(stream);
  }

  /** Also of streams that have ended: what comes later refers to it. */
  #decode(block: Buffer): ReturnType<HeaderDecoder['decode']> {
    try {
      return this.#decoder.decode(block);
    } catch (cause) {
      throw new ProtocolError(CODE.COMPRESSION_ERROR, cause instanceof Error ? cause.message : String(cause));
    }
  }

  #endStream(stream: Http2Stream): void {
    // The answer came before all was asked: the rest is of no use to anyone.
    if (stream.unsent.length > 0) this.cancel(stream, CODE.NO_ERROR);
    stream.end();
  }

  #onSettings(flags: number, payload: Buffer): void {
    if ((flags & FLAG.ACK) !== 0) return;
    if (payload.length % 6 !== 0) throw new ProtocolError(CODE.FRAME_SIZE_ERROR, 'settings of the wrong size');
    let limit = this.#greeted ? this.#limit : Number.POSITIVE_INFINITY;
    this.#greeted = true;
    for (let at = 0; at < payload.length; at += 6) {
      const value = payload.readUInt32BE(at + 2);
      switch (payload.readUInt16BE(at)) {
        case SETTING.HEADER_TABLE_SIZE:
          this.#encoder.allow(value);
          break;
        case SETTING.MAX_CONCURRENT_STREAMS:
          limit = value;
          break;
        case SETTING.INITIAL_WINDOW_SIZE:
          this.#resizeStreams(value);
          break;
        case SETTING.MAX_FRAME_SIZE:
          if (value < DEFAULT_FRAME_SIZE || value >= 2 ** 24) throw new ProtocolError(CODE.PROTOCOL_ERROR, `frames of ${value} bytes`);
          this.#frameSize = value;
          break;
        default:
      }
    }
    this.#send(frame(FRAME.SETTINGS, FLAG.ACK, 0, Buffer.alloc(0)));
    this.#limit = limit;
    this.#settled.resolve();
    this.#options.onChange();
  }

  #resizeStreams(window: number): void {
    if (window > LARGEST_WINDOW) throw new ProtocolError(CODE.FLOW_CONTROL_ERROR, `a window of ${window} bytes`);
    for (const stream of this.#streams.values()) stream.sendWindow += window - this.#streamWindow;
    this.#streamWindow = window;
    this.#sendHeld();
  }

  #onWindowUpdate(id: number, payload: Buffer): void {
    if (payload.length !== 4) throw new ProtocolError(CODE.FRAME_SIZE_ERROR, 'a window of the wrong size');
    const more = payload.readUInt32BE() & LARGEST_WINDOW;
    const stream = this.#streams.get(id);
    if (id === 0) this.#sendWindow += more;
    else if (stream !== undefined) stream.sendWindow += more;
    if (this.#sendWindow > LARGEST_WINDOW) throw new ProtocolError(CODE.FLOW_CONTROL_ERROR, 'a window beyond all bounds');
    if (this.#held.size > 0) this.#sendHeld();
  }

  /** Streams beyond the last that the peer has seen, and those still here, may go elsewhere. */
  #onGoAway(payload: Buffer): void {
    if (payload.length < 8) throw new ProtocolError(CODE.FRAME_SIZE_ERROR, 'a farewell of the wrong size');
    const last = payload.readUInt32BE() & LARGEST_WINDOW;
    const { log, origin } = this.#options;
    log.v(4)?.info('The server asks to use another connection', { server: origin, code: payload.readUInt32BE(4) });
    this.#draining = true;
    const unseen = [...this.#streams.values()].filter(({ id }) => id! > last);
    for (const stream of [...unseen, ...this.#queue.splice(0)]) stream.fail(new Unprocessed('the connection is ending'));
    this.#endIfDone();
    this.#options.onChange();
  }

  #noteAnswer(): void {
    if (this.#answered) return;
    this.#answered = true;
    this.#options.onAnswer();
  }

  /** Drained, and without a stream: what has been written goes out, then the connection ends. */
  #endIfDone(): void {
    if (!this.#draining || this.#closed || this.#reserved > 0 || this.#out.length > 0) return;
    this.#socket.end(goAwayFrame(0, CODE.NO_ERROR), () => this.#socket.destroy());
    this.#close();
  }

  /** Nothing comes and goes any more, for that reason or in good order. */
  #close(error?: TransportError): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#draining = true;
    this.#failure = error;
    this.#watchdog?.cancel();
    this.#idleTimer?.cancel();
    const ending = error ?? new TransportError('reset', `${this.#options.origin}: connection closed`);
    this.#settled.reject(ending);
    for (const stream of this.#queue.splice(0)) stream.fail(new Unprocessed('the connection has ended', { cause: ending }));
    for (const stream of this.#streams.values()) stream.fail();
    this.#options.onClose();
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
    this.#onPong = () => {
      this.#onPong = undefined;
      this.#watchdog?.cancel();
      this.#armWatchdog();
    };
    this.#send(frame(FRAME.PING, 0, 0, PING));
  }
}

function closedEarly({ request, code = CODE.NO_ERROR }: Http2Stream): TransportError {
  const target = `${request.method} ${request.path}`;
  const why = code === CODE.NO_ERROR ? '' : ` (HTTP/2 code ${code})`;
  return new TransportError('reset', `${target}: connection closed before the answer's end${why}`, { target });
}
