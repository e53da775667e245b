import type { Clock } from '#pkg/base';

/** What may be done for strangers in one turn of the event loop, ms: the lease and the controllers come in between. */
const BUDGET = 10;
export interface TurnsOptions {
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Calls back in the event loop's next turn, after input and timers were looked at. */
  readonly nextTurn: (callback: () => void) => void;
  /** Calls back in this turn, after what the work has set going (its promises) has run as far as it can without input. */
  readonly afterwards: (callback: () => void) => void;
  /** Pieces of work in a turn at most, where most of what they cost comes later. */
  readonly most?: number;
}

/** How it is done in Node: a tick that a microtask asks for comes after all microtasks. */
export const nodeTurns: Pick<TurnsOptions, 'nextTurn' | 'afterwards'> = {
  nextTurn: setImmediate,
  afterwards: (callback) => queueMicrotask(() => process.nextTick(callback)),
};

/**
 * Runs what connections ask for, one piece of work of each connection after the other, and no more in a turn of the event
 * loop than fits its budget. A connection with a hundred requests so delays another's by one piece, and since a client has
 * a bounded number of requests under way, what arrives in a turn is bounded by what was answered in the last.
 */
export class Turns<Connection> {
  readonly #options: TurnsOptions;
  /** Connections with work, in the order in which they are next. */
  readonly #waiting = new Map<Connection, (() => void)[]>();
  #scheduled = false;

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  add(connection: Connection, work: () => void): void {
    const queue = this.#waiting.get(connection);
    if (queue) queue.push(work);
    else this.#waiting.set(connection, [work]);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#waiting.size === 0) return;
    this.#scheduled = true;
    this.#options.nextTurn(() => this.#run(this.#options.clock.monotonic() + BUDGET, this.#options.most ?? Infinity));
  }

  #run(end: number, most: number): void {
    const [next] = this.#waiting;
    if (next === undefined || most <= 0 || this.#options.clock.monotonic() >= end) {
      this.#scheduled = false;
      return this.#schedule();
    }
    const [connection, queue] = next;
    this.#waiting.delete(connection);
    const work = queue.shift();
    if (queue.length > 0) this.#waiting.set(connection, queue);
    this.#options.afterwards(() => this.#run(end, most - 1));
    work?.();
  }
}
