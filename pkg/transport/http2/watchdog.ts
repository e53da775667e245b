import type { Clock, Timer } from '#pkg/base';

export interface WatchdogTimes {
  /** Silence after which the peer is asked for a sign of life, ms. */
  readonly readIdle: number;
  /** Silence after the question, after which it is given up, ms. */
  readonly pingTimeout: number;
}

export interface WatchdogParts {
  readonly clock: Clock;
  readonly times: WatchdogTimes;
  /** Asks the peer. */
  readonly ask: () => void;
  /** It does not answer. */
  readonly lost: () => void;
}

/** Notices that a peer has gone without a word, as machines and networks do. As `ReadIdleTimeout` of Go's HTTP/2. */
export class Watchdog {
  readonly #parts: WatchdogParts;
  #heard = false;
  #asked = false;
  #timer: Timer | undefined;

  constructor(parts: WatchdogParts) {
    this.#parts = parts;
    this.#arm();
  }

  /** Something came. */
  heard(): void {
    this.#heard = true;
  }

  /** The answer to the question. */
  answered(): void {
    if (!this.#asked) return;
    this.#timer?.cancel();
    this.#arm();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** What is heard is only noted, and looked at when the time is over: it comes too often to start a timer for each. */
  #arm(): void {
    const { clock, times } = this.#parts;
    this.#heard = false;
    this.#asked = false;
    this.#timer = clock.setTimeout(() => (this.#heard ? this.#arm() : this.#ask()), times.readIdle);
  }

  #ask(): void {
    const { clock, times, ask, lost } = this.#parts;
    this.#asked = true;
    this.#timer = clock.setTimeout(lost, times.pingTimeout);
    ask();
  }
}
