import type { Clock, Timer } from '#pkg/base';
import { TransportError, type TransportRequest } from '#pkg/client';

/** The caller's signal for a whole exchange, and a time limit for its first part. */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #parent: AbortSignal | undefined;
  readonly #timer: Timer;
  readonly #onAbort = (): void => this.#controller.abort(this.#parent?.reason);

  constructor(clock: Clock, request: TransportRequest) {
    this.#parent = request.signal;
    const target = `${request.method} ${request.path}`;
    const timeout = request.timeout ?? 0;
    this.#timer = clock.setTimeout(() => {
      this.#controller.abort(
        new TransportError('timeout', `${target}: no answer within ${timeout / 1000} s`, { target }),
      );
    }, timeout);
    if (this.#parent?.aborted) this.#onAbort();
    else this.#parent?.addEventListener('abort', this.#onAbort);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  close(): void {
    this.#timer.cancel();
    this.#parent?.removeEventListener('abort', this.#onAbort);
  }

  /** The head is there: no limit any more, but the caller's signal counts until the body has ended. */
  lasting(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    this.#timer.cancel();
    return endingWith(body, () => this.close());
  }
}

/** The same bytes; `end` runs when they end, fail, or are not wanted any more, even before the first. */
function endingWith(body: AsyncIterable<Uint8Array>, end: () => void): AsyncIterable<Uint8Array> {
  const inner = body[Symbol.asyncIterator]();
  const iterator: AsyncIterableIterator<Uint8Array, undefined> = {
    [Symbol.asyncIterator]: () => iterator,
    async next() {
      try {
        const step = await inner.next();
        if (!step.done) return step;
      } catch (error) {
        end();
        throw error;
      }
      end();
      return { done: true, value: undefined };
    },
    async return() {
      end();
      await inner.return?.();
      return { done: true, value: undefined };
    },
  };
  return iterator;
}
