import { TransportError, type TransportRequest, type TransportResponse } from '#pkg/client';

import { CODE, ProtocolError } from './frames.ts';
import type { Header } from './header-decoder.ts';
import { responseHead } from './response-head.ts';

/** Bytes that the peer may send ahead of the reader, a stream: as Go's `http2.Transport`. */
export const STREAM_WINDOW = 4 * 1024 * 1024;

/** What a stream asks of its connection. */
export interface StreamOwner {
  /** The peer may send so many bytes more. */
  grant(stream: Http2Stream, bytes: number): void;
  /** It is not wanted any more: the peer is told so. */
  cancel(stream: Http2Stream, code: number): void;
  /** It has ended, one way or another; told once. */
  ended(stream: Http2Stream): void;
  /** Why it ended, where nobody has said so to the stream itself. */
  failureOf(stream: Http2Stream): unknown;
}

export interface StreamParts {
  readonly owner: StreamOwner;
  readonly request: TransportRequest;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly resolve: (response: TransportResponse) => void;
  readonly reject: (error: unknown) => void;
}

const NOTHING = Buffer.alloc(0);

/** One exchange on a connection: what is still to be sent of the request, and the answer with its bytes as they arrive. */
export class Http2Stream implements AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array, undefined> {
  readonly request: TransportRequest;
  readonly headers: readonly string[];
  /** Missing until it is sent. */
  id: number | undefined;
  /** What is left of the request's body. */
  unsent: Buffer;
  /** How much of it the peer takes now. */
  sendWindow = 0;
  readonly #parts: StreamParts;
  readonly #onAbort = (): void => this.#abort();
  #status = 0;
  #waiting: Buffer[] = [];
  /** Bytes that came and were not granted again. */
  #outstanding = 0;
  /** Bytes that were read since the last grant. */
  #read = 0;
  /** Bytes of the body that are still to come, where the peer has said how many. */
  #missing: number | undefined;
  #over = false;
  #complete = false;
  #failure: unknown;
  #code: number | undefined;
  #wake: (() => void) | undefined;

  constructor(parts: StreamParts) {
    this.#parts = parts;
    this.request = parts.request;
    this.headers = parts.headers;
    const { body, signal } = parts.request;
    this.unsent =
      body === undefined
        ? NOTHING
        : typeof body === 'string'
          ? Buffer.from(body)
          : Buffer.from(body.buffer, body.byteOffset, body.length);
    signal?.addEventListener('abort', this.#onAbort);
  }

  /** The peer will send no more. */
  get over(): boolean {
    return this.#over;
  }

  get answered(): boolean {
    return this.#status !== 0;
  }

  /** With which the peer has ended it. */
  get code(): number | undefined {
    return this.#code;
  }

  /** A block of headers came: the head, before it perhaps others that only promise it, behind the body trailers. */
  takeHeaders(received: readonly Header[], last: boolean): void {
    if (this.#over) return;
    if (this.answered) {
      if (!last) this.refuse('headers in the middle of the body');
      return;
    }
    const head = responseHead(received);
    if (typeof head === 'string') {
      this.refuse(head);
      return;
    }
    const { status, headers, length } = head;
    if (status < 200) return;
    this.#status = status;
    this.#missing = length;
    this.#parts.resolve({ status, headers, body: this });
  }

  /** `size`: what the bytes count for the window, with their padding. Throws a {@link ProtocolError} when the peer sends more than it may. */
  takeData(bytes: Buffer, size: number): void {
    this.#outstanding += size;
    if (this.#outstanding > STREAM_WINDOW)
      throw new ProtocolError(CODE.FLOW_CONTROL_ERROR, 'more bytes than were asked for');
    if (this.#over) return;
    if (!this.answered) {
      this.refuse('a body before the head');
      return;
    }
    if (this.#missing !== undefined && (this.#missing -= bytes.length) < 0) {
      this.refuse('a body longer than announced');
      return;
    }
    if (size > bytes.length) this.#grant(size - bytes.length);
    if (bytes.length === 0) return;
    this.#waiting.push(bytes);
    this.#wake?.();
  }

  /** The peer has sent all. */
  end(): void {
    if (!this.answered) this.refuse('an end without a head');
    else if ((this.#missing ?? 0) === 0) this.#finish(true);
    else
      this.#cancel(
        CODE.PROTOCOL_ERROR,
        new TransportError('reset', `${this.#target}: the answer is shorter than announced`, { target: this.#target }),
      );
  }

  /** The peer has ended it. (Behind a whole answer it may, and nobody hears of it here.) */
  reset(code: number): void {
    this.#code = code;
    this.#finish(false);
  }

  /** It ends here, for what the peer has sent; the peer is told. */
  refuse(why: string, code: number = CODE.PROTOCOL_ERROR): void {
    this.#cancel(
      code,
      new TransportError('protocol', `${this.#target}: not a proper HTTP answer (${why})`, { target: this.#target }),
    );
  }

  /** It ends with its connection, or is refused before it was sent. */
  fail(error: unknown): void {
    this.#failure ??= error;
    this.#finish(false);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#waiting.length === 0 && !this.#over) await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#wake = undefined;
    const chunk = this.#waiting.shift();
    if (chunk === undefined) {
      if (!this.#complete) throw this.#failure;
      return { done: true, value: undefined };
    }
    this.#grant(chunk.length);
    return { done: false, value: chunk };
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (!this.#over) {
      this.#parts.owner.cancel(this, CODE.CANCEL);
      this.#finish(true);
    }
    this.#complete = true;
    this.#waiting = [];
    return { done: true, value: undefined };
  }

  get #target(): string {
    return `${this.request.method} ${this.request.path}`;
  }

  #grant(bytes: number): void {
    this.#read += bytes;
    if (this.#over || this.#read < STREAM_WINDOW / 2) return;
    this.#outstanding -= this.#read;
    this.#parts.owner.grant(this, this.#read);
    this.#read = 0;
  }

  #abort(): void {
    // Whoever has it cancelled wants nothing more of it.
    this.#waiting = [];
    this.#cancel(CODE.CANCEL, this.request.signal?.reason);
  }

  #cancel(code: number, failure: unknown): void {
    if (this.#over) return;
    this.#failure = failure;
    this.#parts.owner.cancel(this, code);
    this.#finish(false);
  }

  #finish(complete: boolean): void {
    if (this.#over) return;
    this.#over = true;
    this.#complete = complete;
    // Now: what the connection ends with later is not why this has.
    if (!complete) this.#failure ??= this.#parts.owner.failureOf(this);
    this.request.signal?.removeEventListener('abort', this.#onAbort);
    if (!this.answered) this.#parts.reject(this.#failure);
    this.#wake?.();
    this.#parts.owner.ended(this);
  }
}
