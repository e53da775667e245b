import { type ClientHttp2Stream, constants } from 'node:http2';

/**
 * The bytes of an answer as they arrive. Node ends a stream that was cut off as if it were complete, so the end is
 * believed only when the peer said so; and its own iterator costs more than a small answer does.
 */
export class Http2Body implements AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array, undefined> {
  readonly #stream: ClientHttp2Stream;
  readonly #failure: () => unknown;
  #wake: (() => void) | undefined;

  constructor(stream: ClientHttp2Stream, failure: () => unknown) {
    this.#stream = stream;
    this.#failure = failure;
    const wake = (): void => this.#wake?.();
    stream.on('readable', wake).on('end', wake).on('close', wake);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    for (;;) {
      const chunk = this.#stream.read() as Buffer | null;
      if (chunk !== null) return { done: false, value: chunk };
      if (this.#stream.readableEnded || this.#stream.destroyed) break;
      await new Promise<void>((resolve) => (this.#wake = resolve));
      this.#wake = undefined;
    }
    if (!this.#isComplete()) throw this.#failure();
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (!this.#stream.closed) this.#stream.close(constants.NGHTTP2_CANCEL);
    this.#stream.resume();
    return { done: true, value: undefined };
  }

  #isComplete(): boolean {
    const { rstCode, aborted, readableEnded } = this.#stream;
    return readableEnded && !aborted && (rstCode === undefined || rstCode === constants.NGHTTP2_NO_ERROR);
  }
}
