import { type Random, jitter } from './random.ts';

export interface BackoffConfig {
  /** First delay, ms. */
  initial: number;
  /** Largest delay before jitter, ms. */
  max: number;
  /** Growth per failure. */
  factor: number;
  /** Random stretch: a delay d becomes d..d×(1+jitter). */
  jitter: number;
}

/** Exponential delays with jitter; `reset` after a success. */
export class Backoff {
  readonly #config: BackoffConfig;
  readonly #random: Random;
  #next: number;

  constructor(config: BackoffConfig, random: Random) {
    this.#config = config;
    this.#random = random;
    this.#next = config.initial;
  }

  /** The delay to wait now, ms; the following one is longer. */
  next(): number {
    const delay = this.#next;
    this.#next = Math.min(delay * this.#config.factor, this.#config.max);
    return jitter(this.#random, delay, this.#config.jitter);
  }

  reset(): void {
    this.#next = this.#config.initial;
  }
}
