import type { Duplex } from 'node:stream';

import {
  CODE,
  DEFAULT_FRAME_SIZE,
  DEFAULT_WINDOW,
  FLAG,
  FRAME,
  LARGEST_WINDOW,
  ProtocolError,
  frame,
  frameHead,
} from './frames.ts';
import { HeaderEncoder } from './header-encoder.ts';
import type { Http2Stream } from './http2-stream.ts';
import { Unprocessed } from './unprocessed.ts';

/** Numbers of streams are not used twice; when they run out, another connection has new ones. */
const LAST_STREAM = 2 ** 31 - 1;
/** Answers that the peer demands of us and does not take: as Go's `maxQueuedControlFrames`. */
const MOST_REPLIES = 10_000;

export interface SenderParts {
  readonly socket: Duplex;
  readonly firstStream: number;
  /** The stream has its id; its head goes out with what is gathered now. */
  readonly onOpen: (stream: Http2Stream) => void;
  /** What was gathered has been written. */
  readonly onFlush: () => void;
}

/**
 * What goes out over a connection: requests in their order, their bodies as far as the peer's windows allow, and single
 * frames. Gathered for one turn of the event loop and written at once, which saves records, system calls and packets.
 */
export class Sender {
  readonly #parts: SenderParts;
  readonly #encoder = new HeaderEncoder();
  /** Taken, and not sent yet. */
  #queue: Http2Stream[] = [];
  /** Those of which the body waits for the peer to take more. */
  readonly #held = new Set<Http2Stream>();
  #out: Buffer[] = [];
  #flushing = false;
  #closed = false;
  #nextId: number;
  #window = DEFAULT_WINDOW;
  #streamWindow = DEFAULT_WINDOW;
  #frameSize = DEFAULT_FRAME_SIZE;
  /** Replies that are not on their way yet, and those of them that are only gathered. */
  #replies = 0;
  #repliesHere = 0;

  constructor(parts: SenderParts) {
    this.#parts = parts;
    this.#nextId = parts.firstStream;
  }

  /** All has been written. */
  get idle(): boolean {
    return this.#out.length === 0;
  }

  /** There are no numbers left for new streams. */
  get exhausted(): boolean {
    return this.#nextId > LAST_STREAM;
  }

  /** No request was ever sent with this id. */
  isUnused(id: number): boolean {
    return id % 2 === 0 || id >= this.#nextId;
  }

  enqueue(stream: Http2Stream): void {
    this.#queue.push(stream);
    this.#flushSoon();
  }

  /** Streams that were to be sent, and will not be. */
  takeQueue(): readonly Http2Stream[] {
    return this.#queue.splice(0);
  }

  /** Nothing more of this stream. */
  forget(stream: Http2Stream): void {
    this.#held.delete(stream);
  }

  send(bytes: Buffer): void {
    if (this.#closed) return;
    this.#out.push(bytes);
    this.#flushSoon();
  }

  /** What the peer demands by the protocol: it has to take it before it demands very much more. Throws a {@link ProtocolError}. */
  reply(bytes: Buffer): void {
    if (++this.#replies > MOST_REPLIES)
      throw new ProtocolError(CODE.ENHANCE_YOUR_CALM, `${MOST_REPLIES} replies that nobody takes`);
    this.#repliesHere++;
    this.send(bytes);
  }

  /** Drops all that is not written. */
  close(): void {
    this.#closed = true;
    this.#out = [];
    this.#held.clear();
  }

  /** The peer's table of headers may hold so many bytes. */
  allowTable(capacity: number): void {
    this.#encoder.allow(capacity);
  }

  set frameSize(size: number) {
    this.#frameSize = size;
  }

  /** The peer has changed what streams begin with, these among them; they may go below 0. */
  resizeWindows(window: number, streams: Iterable<Http2Stream>): void {
    const change = window - this.#streamWindow;
    this.#streamWindow = window;
    for (const stream of streams) stream.sendWindow = grown(stream.sendWindow, change);
  }

  /** The peer takes more, of all streams together. Throws a {@link ProtocolError}. */
  growWindow(more: number): void {
    this.#window = grown(this.#window, more);
  }

  /** Sends what was held, of that stream or of all, as far as it may go now. */
  resume(only?: Http2Stream): void {
    if (this.#held.size === 0) return;
    if (only === undefined) for (const stream of this.#held) this.#sendBody(stream);
    else if (this.#held.has(only)) this.#sendBody(only);
    if (!this.idle) this.#flushSoon();
  }

  #flushSoon(): void {
    if (this.#flushing || this.#closed) return;
    this.#flushing = true;
    setImmediate(() => {
      this.#flushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    const queue = this.#queue;
    this.#queue = [];
    for (let i = 0; i < queue.length; i++) this.#sendRequest(queue[i]!);
    if (this.#closed) return;
    const out = this.#out;
    if (out.length > 0) {
      this.#out = [];
      this.#write(out.length === 1 ? out[0]! : Buffer.concat(out));
    }
    this.#parts.onFlush();
  }

  #write(bytes: Buffer): void {
    const replies = this.#repliesHere;
    if (replies === 0) {
      this.#parts.socket.write(bytes);
      return;
    }
    this.#repliesHere = 0;
    this.#parts.socket.write(bytes, () => (this.#replies -= replies));
  }

  #sendRequest(stream: Http2Stream): void {
    if (stream.over) return;
    let block: Buffer;
    try {
      if (!this.#closed && !this.exhausted) stream.request.beforeSend?.();
      // It was a chance for others to end the stream, or all.
      if (stream.over) return;
      if (this.#closed || this.exhausted) throw new Unprocessed('the connection takes no requests any more');
      block = this.#encoder.encode(stream.headers);
    } catch (refusal) {
      stream.fail(refusal);
      return;
    }
    // From here on nothing may fail: the peer has to see each block, as later ones refer to it.
    stream.id = this.#nextId;
    this.#nextId += 2;
    stream.sendWindow = this.#streamWindow;
    this.#sendHeaders(stream.id, block, stream.request.body === undefined);
    this.#parts.onOpen(stream);
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

  /** Sends as much of the body as the peer takes now; the rest goes when it takes more. */
  #sendBody(stream: Http2Stream): void {
    for (;;) {
      const { unsent } = stream;
      const length = Math.max(0, Math.min(unsent.length, this.#frameSize, this.#window, stream.sendWindow));
      if (length === 0 && unsent.length > 0) {
        this.#held.add(stream);
        return;
      }
      const last = length === unsent.length;
      this.#out.push(frameHead(FRAME.DATA, last ? FLAG.END_STREAM : 0, stream.id!, length), unsent.subarray(0, length));
      this.#window -= length;
      stream.sendWindow -= length;
      stream.unsent = unsent.subarray(length);
      if (last) {
        this.#held.delete(stream);
        return;
      }
    }
  }
}

function grown(window: number, more: number): number {
  if (window + more > LARGEST_WINDOW) throw new ProtocolError(CODE.FLOW_CONTROL_ERROR, 'a window beyond all bounds');
  return window + more;
}
