import { setImmediate as nextTurn } from 'node:timers/promises';

import type { Clock } from '#pkg/base';

/** Long enough that yielding costs nothing, short enough that a timer is never late by much. */
const SLICE = 8;

/**
 * Cuts long synchronous work into slices of a few milliseconds, so that a big list never holds the event loop:
 *
 *     for (const item of items) {
 *       handle(item);
 *       if (slices.due()) await slices.next();
 *     }
 */
export class Slices {
  readonly #clock: Clock;
  #started: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#started = clock.monotonic();
  }

  /** The slice has been used up. */
  due(): boolean {
    return this.#clock.monotonic() - this.#started >= SLICE;
  }

  /** Lets everything else that can run go first. */
  async next(): Promise<void> {
    await nextTurn();
    this.#started = this.#clock.monotonic();
  }
}
