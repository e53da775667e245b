import type { Clock, Timer } from '#pkg/base';

/** What {@link LineSink} needs of the system: `fs.writeSync` to one file descriptor. Throws as that does. */
export type WriteNow = (bytes: Uint8Array) => number;

export interface LineSinkOptions {
  readonly write: WriteNow;
  readonly clock: Clock;
  /** Bytes to gather before they are written; a line is written at once where missing. */
  readonly minLength?: number | undefined;
  /** Called once lines can be written again after `count` of them were dropped. It may write a line. */
  readonly onDropped?: (count: number) => void;
}

/** Bytes of lines that wait for a reader who is slow; what comes on top is dropped and counted. */
const MOST_WAITING = 1024 * 1024;
/** Between two tries while the reader takes nothing, in milliseconds. */
const RETRY = 50;
/** How often and how long, in milliseconds, the end of the process waits for a reader who takes nothing. */
const LAST_TRIES = 20;
const LAST_PAUSE = 10;

/**
 * Writes lines at once, so that a crash loses nothing, and never lets the process depend on whoever reads them: where a
 * pipe is full (`EAGAIN`) lines wait in bounded memory, and where nothing can be written at all (a full disk, a closed
 * pipe) they are dropped and counted. The file descriptor has to be non-blocking for the former.
 */
export class LineSink {
  readonly #options: LineSinkOptions;
  #waiting: Uint8Array[] = [];
  #bytes = 0;
  #held = '';
  #dropped = 0;
  #timer: Timer | undefined;

  constructor(options: LineSinkOptions) {
    this.#options = options;
  }

  write(line: string): void {
    this.#held += line;
    if (this.#held.length >= (this.#options.minLength ?? 0)) this.flush();
  }

  /** Writes what was gathered, as far as it is taken. */
  flush(): void {
    if (this.#held !== '') {
      const bytes = Buffer.from(this.#held, 'utf8');
      this.#held = '';
      if (this.#bytes + bytes.length > MOST_WAITING) this.#dropped++;
      else {
        this.#waiting.push(bytes);
        this.#bytes += bytes.length;
      }
    }
    if (this.#timer === undefined) this.#drain();
  }

  /** Writes what is left before the process ends, and waits a moment for a reader who is slow, no longer. */
  close(): void {
    this.#stopTimer();
    this.flush();
    for (let tries = 0; this.#waiting.length > 0 && tries < LAST_TRIES; tries++) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LAST_PAUSE);
      this.#stopTimer();
      this.#drain();
    }
    this.#stopTimer();
  }

  #stopTimer(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #drain(): void {
    while (this.#waiting.length > 0) {
      const [bytes] = this.#waiting as [Uint8Array];
      const written = this.#tryWrite(bytes);
      if (written === 'later') {
        this.#timer = this.#options.clock.setTimeout(() => {
          this.#timer = undefined;
          this.#drain();
        }, RETRY);
        return;
      }
      this.#bytes -= written === 'never' ? bytes.length : written;
      if (written === 'never') this.#dropped++;
      if (written === 'never' || written === bytes.length) this.#waiting.shift();
      else this.#waiting[0] = bytes.subarray(written);
      if (written !== 'never') this.#reportDropped();
    }
  }

  #tryWrite(bytes: Uint8Array): number | 'later' | 'never' {
    try {
      return this.#options.write(bytes);
    } catch (error) {
      const { code } = error as { code?: string };
      // Nowhere is left to say what is wrong; the next line tries again.
      return code === 'EAGAIN' || code === 'EINTR' ? 'later' : 'never';
    }
  }

  #reportDropped(): void {
    const count = this.#dropped;
    if (count === 0 || this.#waiting.length > 0) return;
    this.#dropped = 0;
    this.#options.onDropped?.(count);
  }
}
