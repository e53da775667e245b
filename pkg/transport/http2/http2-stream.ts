import type { TransportRequest, TransportResponse } from '#pkg/client';

import { CODE } from './frames.ts';

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
    this.unsent = body === undefined ? NOTHING : typeof body === 'string' ? Buffer.from(body) : Buffer.from(body.buffer, body.byteOffset, body.length);
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
  takeHeaders(received: readonly (readonly [name: string, value: string])[]): void {
    if (this.#over || this.answered) return;
    let status = 0;
    const headers: Record<string, string> = {};
    for (const [name, value] of received) {
      if (name === ':status') status = Number(value);
      else headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
    }
    if (status >= 100 && status < 200) return;
    if (!(status >= 200 && status < 1000)) {
      this.cancel(CODE.PROTOCOL_ERROR);
      return;
    }
    this.#status = status;
    const length = headers['content-length'];
    if (length !== undefined && /^\d+$/.test(length) && status !== 204 && status !== 304) this.#missing = Number(length);
    this.#parts.resolve({ status, headers, body: this });
  }

  /** `size`: what the bytes count for the window, with their padding. False when the peer sends more than it may. */
  takeData(bytes: Buffer, size: number): boolean {
    this.#outstanding += size;
    if (this.#outstanding > STREAM_WINDOW) return false;
    if (this.#over || !this.answered) return true;
    this.#read += size - bytes.length;
    if (this.#missing !== undefined) this.#missing -= bytes.length;
    if (bytes.length > 0) this.#waiting.push(bytes);
    this.#wake?.();
    return true;
  }

  /** The peer has sent all. */
  end(): void {
    if (!this.answered || (this.#missing ?? 0) !== 0) this.cancel(CODE.PROTOCOL_ERROR);
    else this.#finish(true);
  }

  /** The peer has ended it; with NO_ERROR behind a whole answer, which is nothing to complain of. */
  reset(code: number): void {
    this.#code = code;
    this.#finish(false);
  }

  /** It ends here, and the peer is told. */
  cancel(code: number = CODE.CANCEL): void {
    if (this.#over) return;
    this.#parts.owner.cancel(this, code);
    this.#finish(false);
  }

  /** It ends with its connection, or is refused before it was sent. */
  fail(error?: unknown): void {
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
      if (!this.#complete) throw this.#reason();
      return { done: true, value: undefined };
    }
    this.#grant(chunk.length);
    return { done: false, value: chunk };
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.cancel();
    this.#complete = true;
    this.#waiting = [];
    return { done: true, value: undefined };
  }

  #grant(bytes: number): void {
    this.#read += bytes;
    if (this.#over || this.#read < STREAM_WINDOW / 2) return;
    this.#outstanding -= this.#read;
    this.#parts.owner.grant(this, this.#read);
    this.#read = 0;
  }

  #abort(): void {
    this.#failure = this.request.signal?.reason;
    this.cancel();
  }

  #finish(complete: boolean): void {
    if (this.#over) return;
    this.#over = true;
    this.#complete = complete;
    this.request.signal?.removeEventListener('abort', this.#onAbort);
    this.#parts.owner.ended(this);
    if (!this.answered) this.#parts.reject(this.#reason());
    this.#wake?.();
  }

  #reason(): unknown {
    return this.#failure ?? this.#parts.owner.failureOf(this);
  }
}
