import { type Clock, Heap, type Timer } from '#pkg/base';

interface PendingTimer {
  readonly due: number;
  readonly order: number;
  readonly callback: () => void;
  cancelled: boolean;
}

/**
 * A clock that moves only when told. Timers fire in the order of their due times (ties in the order they were set), and
 * after each one everything it set going (promises, immediates) runs before the next, as it would in real time.
 *
 *     const clock = new FakeClock();
 *     const done = sleep(clock, 1000);
 *     await clock.step(1000);
 *     await done;
 */
export class FakeClock implements Clock {
  readonly #timers = new Heap<PendingTimer>((a, b) => a.due < b.due || (a.due === b.due && a.order < b.order));
  #monotonic = 0;
  #wallOffset: number;
  #order = 0;
  #pending = 0;

  /** Wall time at the start: ms since the epoch, or RFC 3339. */
  constructor(start: number | string = '2026-01-01T00:00:00Z') {
    this.#wallOffset = typeof start === 'string' ? Date.parse(start) : start;
  }

  now(): number {
    return this.#wallOffset + this.#monotonic;
  }

  monotonic(): number {
    return this.#monotonic;
  }

  setTimeout(callback: () => void, milliseconds: number): Timer {
    const due = this.#monotonic + Math.max(0, milliseconds);
    const timer: PendingTimer = { due, order: this.#order++, callback, cancelled: false };
    this.#timers.push(timer);
    this.#pending++;
    return {
      cancel: () => {
        if (!timer.cancelled) this.#pending--;
        timer.cancelled = true;
      },
    };
  }

  /** Timers set and neither fired nor cancelled: 0 at the end of a test that leaks none. */
  get pending(): number {
    return this.#pending;
  }

  /** Milliseconds until the next timer is due; undefined when there is none. */
  get untilNext(): number | undefined {
    const next = this.#peek();
    return next === undefined ? undefined : Math.max(0, next.due - this.#monotonic);
  }

  /** Moves both times on by `milliseconds` and fires what falls due on the way, also timers set on the way. */
  async step(milliseconds: number): Promise<void> {
    const end = this.#monotonic + milliseconds;
    await settle();
    while (this.#fireNext(end)) await settle();
    this.#monotonic = end;
  }

  /** Steps as `step` does, without letting promises run in between: for code that is synchronous from timer to timer. */
  stepSync(milliseconds: number): void {
    const end = this.#monotonic + milliseconds;
    while (this.#fireNext(end));
    this.#monotonic = end;
  }

  /** Steps from timer to timer until `done` holds; rejects when no timer is left or `limit` ms have gone by. */
  async stepUntil(done: () => boolean, limit = 24 * 3600 * 1000): Promise<void> {
    const end = this.#monotonic + limit;
    await settle();
    while (!done()) {
      if (!this.#fireNext(end)) throw new Error(`the condition does not hold, and no timer is left within ${limit} ms`);
      await settle();
    }
  }

  /** Sets wall time forward or back, as an administrator or NTP does; timers and monotonic time do not notice. */
  jumpWall(milliseconds: number): void {
    this.#wallOffset += milliseconds;
  }

  /** Time goes by with nothing running, as when the process is stopped: what fell due fires in the next step. */
  pause(milliseconds: number): void {
    this.#monotonic += milliseconds;
  }

  #peek(): PendingTimer | undefined {
    for (;;) {
      const next = this.#timers.peek();
      if (next === undefined || !next.cancelled) return next;
      this.#timers.pop();
    }
  }

  #fireNext(end: number): boolean {
    const next = this.#peek();
    if (next === undefined || next.due > end) return false;
    this.#timers.pop();
    this.#pending--;
    next.cancelled = true;
    this.#monotonic = Math.max(this.#monotonic, next.due);
    next.callback();
    return true;
  }
}

/** Lets everything that can run now run: promise chains, immediates, and what they set going. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}

/** What `promise` rejects with. For rejections that are looked at later: nothing is left unhandled meanwhile. */
export async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  throw new Error(`expected a rejection, but it resolved with ${JSON.stringify(value)}`);
}
