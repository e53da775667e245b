import type { Clock } from '#pkg/base';

/** Answers that count for a time. The oldest go when there are too many, so that nobody can fill the memory. */
export class ExpiringCache<Value> {
  readonly #entries = new Map<string, { readonly value: Value; readonly until: number }>();
  readonly #clock: Clock;
  readonly #largest: number;

  constructor(clock: Clock, largest = 4096) {
    this.#clock = clock;
    this.#largest = largest;
  }

  get(key: string): Value | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (this.#clock.monotonic() < entry.until) return entry.value;
    this.#entries.delete(key);
    return undefined;
  }

  /** `lifetime` in ms; nothing is kept where it is not above zero. */
  set(key: string, value: Value, lifetime: number): void {
    if (lifetime <= 0) return;
    this.#entries.delete(key);
    this.#entries.set(key, { value, until: this.#clock.monotonic() + lifetime });
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > this.#largest && oldest !== undefined) this.#entries.delete(oldest);
  }
}
