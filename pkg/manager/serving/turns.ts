import type { Clock } from '#pkg/base';

/** What may be done for strangers in one turn of the event loop, ms: the lease and the controllers come in between. */
const BUDGET = 10;
/** Runs longer than this are looked at by the clock in between; looking each time would cost as much as the work. */
const STRIDE = 8;

export interface TurnsOptions {
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Calls back in the event loop's next turn, after input and timers were looked at. */
  readonly nextTurn: (callback: () => void) => void;
}

/**
 * Runs what connections ask for, one piece of work of each connection after the other, and no more in a turn of the event
 * loop than fits its budget. A connection with a hundred requests so delays another's by one piece, and since a client has
 * a bounded number of requests under way, what arrives in a turn is bounded by what was answered in the last.
 */
export class Turns<Connection extends object> {
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

  /** Forgets the work of a connection that has gone. */
  drop(connection: Connection): void {
    this.#waiting.delete(connection);
  }

  #schedule(): void {
    if (this.#scheduled || this.#waiting.size === 0) return;
    this.#scheduled = true;
    this.#options.nextTurn(() => this.#run());
  }

  #run(): void {
    this.#scheduled = false;
    const end = this.#options.clock.monotonic() + BUDGET;
    for (let done = 0; done % STRIDE !== 0 || done === 0 || this.#options.clock.monotonic() < end; done++) {
      const next = this.#waiting.entries().next();
      if (next.done) return;
      const [connection, queue] = next.value;
      this.#waiting.delete(connection);
      const work = queue.shift();
      if (queue.length > 0) this.#waiting.set(connection, queue);
      work?.();
    }
    this.#schedule();
  }
}
