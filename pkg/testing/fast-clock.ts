import type { Clock, Timer } from '#pkg/base';

/**
 * The machine's clock, `speed` times as fast: for tests over real sockets of code that waits for seconds. What the other
 * end of a socket does still takes its own time.
 */
export class FastClock implements Clock {
  readonly #speed: number;
  readonly #start = performance.now();
  readonly #wallStart = Date.now();
  #jumped = 0;
  #pending = 0;

  constructor(speed: number) {
    this.#speed = speed;
  }

  /** Timers set and neither fired nor cancelled. */
  get pending(): number {
    return this.#pending;
  }

  now(): number {
    return this.#wallStart + this.monotonic() + this.#jumped;
  }

  monotonic(): number {
    return (performance.now() - this.#start) * this.#speed;
  }

  setTimeout(callback: () => void, milliseconds: number): Timer {
    this.#pending++;
    let open = true;
    const close = (): void => {
      if (open) this.#pending--;
      open = false;
    };
    const handle = setTimeout(() => {
      close();
      callback();
    }, milliseconds / this.#speed);
    return {
      cancel: () => {
        clearTimeout(handle);
        close();
      },
    };
  }

  /** Sets wall time forward or back; timers and monotonic time do not notice. */
  jumpWall(milliseconds: number): void {
    this.#jumped += milliseconds;
  }
}
