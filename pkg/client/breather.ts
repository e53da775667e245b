import type { Clock } from '#pkg/base';

/** Long enough to be worth it, short enough that five in a row are not felt. */
const SLICE = 10;

/** Gives the event loop a turn when a piece of work has held it for {@link SLICE} ms. */
export class Breather {
  readonly #clock: Clock;
  #since: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#since = clock.monotonic();
  }

  get due(): boolean {
    return this.#clock.monotonic() - this.#since >= SLICE;
  }

  async pause(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#since = this.#clock.monotonic();
  }
}
