import { type ClientHttp2Stream, constants } from 'node:http2';

/** Bytes waiting for the reader, beyond which the stream is paused. */
const MOST_WAITING = 256 * 1024;

/**
 * The bytes of an answer as they arrive. Node ends a stream that was cut off as if it were complete, so the end is
 * believed only when the peer said so; and its own iterator, like reading on `readable`, costs more than a small answer
 * does: chunks are taken as they flow.
 */
export class Http2Body implements AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array, undefined> {
  readonly #stream: ClientHttp2Stream;
  readonly #failure: () => unknown;
  #waiting: Buffer[] = [];
  #bytes = 0;
  #over = false;
  #complete = false;
  #wake: (() => void) | undefined;

  constructor(stream: ClientHttp2Stream, failure: () => unknown) {
    this.#stream = stream;
    this.#failure = failure;
    stream.on('data', (chunk: Buffer) => this.#take(chunk)).once('close', () => this.#finish(false));
    // A connection that is destroyed ends its streams as well, but destroys them first. So does Node behind a good end.
    stream.prependOnceListener('end', () => this.#finish(!stream.destroyed));
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#waiting.length === 0 && !this.#over) await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#wake = undefined;
    const chunk = this.#waiting.shift();
    if (chunk === undefined) {
      if (!this.#complete) throw this.#failure();
      return { done: true, value: undefined };
    }
    this.#bytes -= chunk.length;
    if (this.#waiting.length === 0 && this.#stream.isPaused()) this.#stream.resume();
    return { done: false, value: chunk };
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (!this.#stream.closed) this.#stream.close(constants.NGHTTP2_CANCEL);
    this.#over = true;
    this.#complete = true;
    this.#waiting = [];
    this.#stream.resume();
    return { done: true, value: undefined };
  }

  #take(chunk: Buffer): void {
    if (this.#over) return;
    this.#waiting.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes >= MOST_WAITING) this.#stream.pause();
    this.#wake?.();
  }

  #finish(ended: boolean): void {
    if (this.#over) return;
    const { rstCode, aborted } = this.#stream;
    this.#over = true;
    this.#complete = ended && !aborted && (rstCode === undefined || rstCode === constants.NGHTTP2_NO_ERROR);
    this.#wake?.();
  }
}
