import type { Clock, Timer } from '#pkg/base';

import { TransportError } from './errors.ts';

/**
 * One signal for a call: the caller's and its deadline together. `close` must follow; it leaves no timer and no listener
 * on the caller's signal, which may live as long as the process.
 */
export class CallScope {
  readonly #controller = new AbortController();
  readonly #parent: AbortSignal | undefined;
  readonly #timer: Timer | undefined;
  readonly #onAbort = (): void => this.#controller.abort(this.#parent?.reason);

  constructor(clock: Clock, parent: AbortSignal | undefined, timeout: number | undefined, target: string) {
    this.#parent = parent;
    if (parent?.aborted) this.#onAbort();
    else parent?.addEventListener('abort', this.#onAbort);
    if (timeout !== undefined && timeout > 0) {
      this.#timer = clock.setTimeout(() => {
        this.#controller.abort(
          new TransportError('timeout', `${target}: no answer within ${timeout / 1000} s`, { target }),
        );
      }, timeout);
    }
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  close(): void {
    this.#timer?.cancel();
    this.#parent?.removeEventListener('abort', this.#onAbort);
  }
}
