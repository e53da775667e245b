import { ownValue } from '#pkg/base';
import type { Duplex } from 'node:stream';

import type { Clock, Timer } from '#pkg/base';
import { TransportError, type TransportRequest, type TransportResponse } from '#pkg/client';
import type { Logger } from '#pkg/log';

import { connectionError, exchangeError } from '../connection-errors.ts';
import type { Headers } from '../credentials.ts';
import { FrameDispatcher, type Setting } from './frame-dispatcher.ts';
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
  goAwayFrame,
  numberFrame,
  settingsFrame,
} from './frames.ts';
import type { ReceivedHeaders } from './header-blocks.ts';
import { Http2Stream, STREAM_WINDOW, type StreamOwner } from './http2-stream.ts';
import { Sender } from './sender.ts';
import { Unprocessed } from './unprocessed.ts';
import { Watchdog, type WatchdogTimes } from './watchdog.ts';

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
/** The connection's window is there to be out of the way: streams have their own. */
const CONNECTION_WINDOW = 1024 * 1024 * 1024;
/** A peer that has accepted the connection says its settings at once; silence for this long, ms, means it is stuck. */
const SETTINGS_TIMEOUT = 10_000;
/** For a peer that takes what was sent before the end, ms. */
const FAREWELL_TIMEOUT = 10_000;
const PING = Buffer.from('watchdog', 'latin1');
const NOTHING = Buffer.alloc(0);

export interface SessionTimes extends WatchdogTimes {
  /** With no stream for so long, the connection is closed, ms. */
  readonly idle: number;
}

export interface SessionOptions {
  readonly origin: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly times: SessionTimes;
  /** Where the numbers of streams begin, if not at 1. Odd. */
  readonly firstStream?: number;
  /** A stream ended: there is room for another. */
  readonly onRoom: () => void;
  /** It takes more streams than before, or none any more. */
  readonly onChange: () => void;
  /** The peer has answered a request; told once. */
  readonly onAnswer: () => void;
  readonly onClose: () => void;
}

/**
 * The client's side of one HTTP/2 connection (RFC 9113): sends requests as streams, counts them, pings a silent peer, and
 * takes no new streams once either side ends it.
 *
 * Written for what an API server is asked: many small exchanges, and watches that last. Node's own client makes of each
 * stream a `Duplex` with its handle, listeners and ticks, which costs several times what the exchange itself does.
 */
export class Http2Session implements StreamOwner {
  readonly #socket: Duplex;
  readonly #options: SessionOptions;
  readonly #authority: string;
  readonly #settled = Promise.withResolvers<void>();
  readonly #reader: FrameReader;
  readonly #sender: Sender;
  readonly #watchdog: Watchdog;
  /** Sent, and not over. */
  readonly #streams = new Map<number, Http2Stream>();
  #reserved = 0;
  /** How many streams the peer takes; missing until it has said its settings. */
  #limit: number | undefined;
  #draining = false;
  #closed = false;
  #answered = false;
  #failure: TransportError | undefined;
  /** Received since the connection's window was last filled up. */
  #received = 0;
  #idleTimer: Timer | undefined;

  constructor(socket: Duplex, options: SessionOptions) {
    const { clock, times, origin, firstStream = 1 } = options;
    this.#socket = socket;
    this.#options = options;
    this.#authority = new URL(origin).host;
    this.#sender = new Sender({
      socket,
      firstStream,
      onOpen: (stream) => this.#streams.set(stream.id!, stream),
      onFlush: () => this.#onFlush(),
    });
    const dispatcher = new FrameDispatcher({
      isUnused: (id) => this.#sender.isUnused(id),
      onHeaders: (received) => this.#onHeaders(received),
      onData: (id, bytes, size, last) => this.#onData(id, bytes, size, last),
      onReset: (id, code) => this.#streams.get(id)?.reset(code),
      onSettings: (said) => this.#onSettings(said),
      onPing: (content) => this.#sender.reply(frame(FRAME.PING, FLAG.ACK, 0, content)),
      onPong: (content) => {
        if (content.equals(PING)) this.#watchdog.answered();
      },
      onGoAway: (last, code) => this.#onGoAway(last, code),
      onWindow: (id, more) => this.#onWindow(id, more),
    });
    this.#reader = new FrameReader((type, flags, id, payload) => {
      if (!this.#closed) dispatcher.take(type, flags, id, payload);
    }, DEFAULT_FRAME_SIZE);
    const settings = settingsFrame([
      [SETTING.ENABLE_PUSH, 0],
      [SETTING.INITIAL_WINDOW_SIZE, STREAM_WINDOW],
    ]);
    socket.write(
      Buffer.concat([PREFACE, settings, numberFrame(FRAME.WINDOW_UPDATE, 0, CONNECTION_WINDOW - DEFAULT_WINDOW)]),
    );
    const gone = (): void => this.destroy(new TransportError('reset', `${origin}: connection closed by peer`));
    socket.on('data', (chunk: Buffer) => this.#onBytes(chunk));
    // A TLS alert may come late, as when a client certificate is refused: what was never answered was not reached.
    socket.on('error', (error) => this.destroy((this.#answered ? exchangeError : connectionError)(error, origin)));
    // Answers cannot come any more, even if what was asked could still go out.
    socket.once('end', gone).once('close', gone);
    if (socket.destroyed) setImmediate(gone);
    // Nobody may be waiting for it any more.
    this.#settled.promise.catch(() => {});
    this.#watchdog = new Watchdog({
      clock,
      times,
      ask: () => this.#sender.send(frame(FRAME.PING, 0, 0, PING)),
      lost: () => this.#giveUp(),
    });
    this.#armIdle();
  }

  /**
   * Resolves when the peer has said how many streams it takes: those beyond it are better off on another connection.
   * Rejects when the connection ends first.
   */
  async opened(): Promise<void> {
    const { clock, origin } = this.#options;
    const timer = clock.setTimeout(() => {
      this.destroy(
        new TransportError('timeout', `cannot reach ${origin}: no HTTP/2 settings within ${SETTINGS_TIMEOUT / 1000} s`),
      );
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
    if (!this.usable || this.#reserved >= (this.#limit ?? 0)) return false;
    this.#reserved++;
    this.#idleTimer?.cancel();
    this.#idleTimer = undefined;
    return true;
  }

  /** No new streams; ends when those under way have. */
  drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    this.#idleTimer?.cancel();
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
      let stream;
      try {
        stream = new Http2Stream({
          owner: this,
          request,
          headers: this.#headersOf(request, headers, path),
          resolve,
          reject,
        });
      } catch (error) {
        reject(error);
        this.#release();
        return;
      }
      if (request.signal?.aborted) stream.fail(request.signal.reason);
      else if (this.#closed) stream.fail(new Unprocessed('the connection has ended', { cause: this.#failure }));
      else this.#sender.enqueue(stream);
    });
  }

  grant({ id }: Http2Stream, bytes: number): void {
    if (id !== undefined) this.#sender.send(numberFrame(FRAME.WINDOW_UPDATE, id, bytes));
  }

  cancel({ id }: Http2Stream, code: number): void {
    if (id !== undefined) this.#sender.send(numberFrame(FRAME.RST_STREAM, id, code));
  }

  ended(stream: Http2Stream): void {
    if (stream.id !== undefined) this.#streams.delete(stream.id);
    this.#sender.forget(stream);
    this.#release();
  }

  failureOf(stream: Http2Stream): unknown {
    if (stream.code === CODE.REFUSED_STREAM && !stream.answered) return new Unprocessed('the stream was refused');
    return this.#failure ?? closedEarly(stream);
  }

  #release(): void {
    this.#reserved--;
    if (this.#reserved === 0) {
      if (this.usable) this.#armIdle();
      else this.#endIfDone();
    }
    this.#options.onRoom();
  }

  #headersOf({ method }: TransportRequest, headers: Headers, path: string): readonly string[] {
    const all = [':method', method, ':scheme', 'https', ':authority', this.#authority, ':path', path];
    for (const given in headers) {
      const name = given.toLowerCase();
      const value = ownValue(headers, given)!;
      if (typeof value === 'string') all.push(name, value);
      else for (const one of value) all.push(name, one);
    }
    return all;
  }

  #onFlush(): void {
    if (this.#sender.exhausted) this.drain();
    this.#endIfDone();
  }

  #onBytes(chunk: Buffer): void {
    if (this.#closed) return;
    this.#watchdog.heard();
    try {
      this.#reader.push(chunk);
    } catch (error) {
      const { origin } = this.#options;
      const [code, what] =
        error instanceof ProtocolError ? [error.code, error.message] : [CODE.INTERNAL_ERROR, 'an error of ours'];
      this.#socket.write(goAwayFrame(0, code));
      this.destroy(
        new TransportError(
          'protocol',
          `${origin}: not a proper HTTP answer (${what})`,
          { target: origin },
          { cause: error },
        ),
      );
      // What was in the middle of being read cannot be taken up again; but the mistake is not the peer's.
      if (!(error instanceof ProtocolError)) throw error;
    }
  }

  #onData(id: number, bytes: Buffer, size: number, last: boolean): void {
    this.#received += size;
    if (this.#received >= CONNECTION_WINDOW / 2) {
      this.#sender.send(numberFrame(FRAME.WINDOW_UPDATE, 0, this.#received));
      this.#received = 0;
    }
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    stream.takeData(bytes, size);
    if (last) this.#endStream(stream);
  }

  #onHeaders(received: ReceivedHeaders): void {
    const stream = this.#streams.get(received.stream);
    if (stream === undefined) return;
    stream.takeHeaders(received.headers, received.last);
    if (stream.answered) this.#noteAnswer();
    if (received.last) this.#endStream(stream);
  }

  #endStream(stream: Http2Stream): void {
    if (stream.over) return;
    // The answer came before all was asked: the rest is of no use to anyone.
    if (stream.unsent.length > 0) this.cancel(stream, CODE.NO_ERROR);
    stream.end();
  }

  #onSettings(settings: readonly Setting[]): void {
    // Until it says otherwise, the peer takes any number.
    this.#limit ??= Number.POSITIVE_INFINITY;
    for (const [setting, value] of settings) this.#onSetting(setting, value);
    this.#sender.reply(frame(FRAME.SETTINGS, FLAG.ACK, 0, NOTHING));
    // Only now: there are peers for which their settings hold from the confirmation on.
    this.#sender.resume();
    this.#settled.resolve();
    this.#options.onChange();
  }

  #onSetting(setting: number, value: number): void {
    switch (setting) {
      case SETTING.HEADER_TABLE_SIZE:
        this.#sender.allowTable(value);
        return;
      case SETTING.ENABLE_PUSH:
        if (value !== 0) throw new ProtocolError(CODE.PROTOCOL_ERROR, 'a server that asks for answers');
        return;
      case SETTING.MAX_CONCURRENT_STREAMS:
        this.#limit = value;
        return;
      case SETTING.INITIAL_WINDOW_SIZE:
        if (value > LARGEST_WINDOW) throw new ProtocolError(CODE.FLOW_CONTROL_ERROR, `a window of ${value} bytes`);
        this.#sender.resizeWindows(value, this.#streams.values());
        return;
      case SETTING.MAX_FRAME_SIZE:
        if (value < DEFAULT_FRAME_SIZE || value >= 2 ** 24)
          throw new ProtocolError(CODE.PROTOCOL_ERROR, `frames of ${value} bytes`);
        this.#sender.frameSize = value;
        return;
      default:
    }
  }

  #onWindow(id: number, more: number): void {
    if (id === 0) {
      if (more === 0) throw new ProtocolError(CODE.PROTOCOL_ERROR, 'a window that grows by nothing');
      this.#sender.growWindow(more);
      this.#sender.resume();
      return;
    }
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    if (more === 0) stream.refuse('a window that grows by nothing');
    else if (stream.sendWindow + more > LARGEST_WINDOW)
      stream.refuse('a window beyond all bounds', CODE.FLOW_CONTROL_ERROR);
    else {
      stream.sendWindow += more;
      this.#sender.resume(stream);
    }
  }

  /** Streams beyond the last that the peer has seen, and those still here, may go elsewhere. */
  #onGoAway(last: number, code: number): void {
    const { log, origin } = this.#options;
    log.v(4)?.info('The server asks to use another connection', { server: origin, code });
    this.#draining = true;
    this.#idleTimer?.cancel();
    const unseen = [...this.#streams.values()].filter(({ id }) => id! > last);
    for (const stream of [...unseen, ...this.#sender.takeQueue()])
      stream.fail(new Unprocessed('the connection is ending'));
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
    if (!this.#draining || this.#closed || this.#reserved > 0 || !this.#sender.idle) return;
    const socket = this.#socket;
    const timer = this.#options.clock.setTimeout(() => socket.destroy(), FAREWELL_TIMEOUT);
    socket.once('close', () => timer.cancel());
    socket.end(goAwayFrame(0, CODE.NO_ERROR), () => socket.destroy());
    this.#close();
  }

  /** Nothing comes and goes any more, for that reason or in good order. */
  #close(error?: TransportError): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#draining = true;
    this.#failure = error;
    this.#watchdog.stop();
    this.#idleTimer?.cancel();
    const ending = error ?? new TransportError('reset', `${this.#options.origin}: connection closed`);
    this.#settled.reject(ending);
    for (const stream of this.#sender.takeQueue())
      stream.fail(new Unprocessed('the connection has ended', { cause: ending }));
    this.#sender.close();
    for (const stream of this.#streams.values()) stream.fail(ending);
    this.#options.onClose();
  }

  #armIdle(): void {
    this.#idleTimer = this.#options.clock.setTimeout(() => this.drain(), this.#options.times.idle);
  }

  #giveUp(): void {
    const { times, origin } = this.#options;
    const seconds = (times.readIdle + times.pingTimeout) / 1000;
    this.destroy(
      new TransportError('reset', `${origin}: connection lost, the server is silent for ${seconds} s`, {
        target: origin,
      }),
    );
  }
}

function closedEarly({ request, code = CODE.NO_ERROR }: Http2Stream): TransportError {
  const target = `${request.method} ${request.path}`;
  const why = code === CODE.NO_ERROR ? '' : ` (HTTP/2 code ${code})`;
  return new TransportError('reset', `${target}: connection closed before the answer's end${why}`, { target });
}
