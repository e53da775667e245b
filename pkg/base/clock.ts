/** A timer that can be cancelled. Cancelling twice, or after it fired, does nothing. */
export interface Timer {
  cancel(): void;
}

/**
 * Time as an argument. Everything that waits or reads the time takes one of these, so that tests step it.
 * `now` is wall time, for what is written into objects; `monotonic` is for measuring and for expiry.
 */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Milliseconds from an arbitrary origin; never goes back, and counts time in which the process was stopped. */
  monotonic(): number;
  /** Calls `callback` once, after at least `milliseconds`. */
  setTimeout(callback: () => void, milliseconds: number): Timer;
}

/** Node clamps longer delays to 1 ms, so longer ones are split. */
const LONGEST_DELAY = 2 ** 31 - 1;

/** The machine's clock: the only place in the library that touches real timers. */
export const systemClock: Clock = {
  now: () => Date.now(),
  // The same clock as `performance.now()`, which takes a ms of every start to load.
  monotonic() {
    const [seconds, nanoseconds] = process.hrtime();
    return seconds * 1000 + nanoseconds / 1e6;
  },
  setTimeout(callback, milliseconds) {
    let left = milliseconds;
    let handle: NodeJS.Timeout;
    const arm = (): void => {
      const step = Math.min(left, LONGEST_DELAY);
      left -= step;
      handle = setTimeout(left > 0 ? arm : callback, Math.max(step, 0));
    };
    arm();
    return { cancel: () => clearTimeout(handle) };
  },
};

/**
 * Waits `milliseconds`. Rejects with the signal's reason as soon as it aborts; leaves no timer or listener behind.
 */
export function sleep(clock: Clock, milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = (): void => {
      timer.cancel();
      reject(signal?.reason);
    };
    const timer = clock.setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, milliseconds);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** Most times to be written are of this very second: the last text answers for it. */
let formatted = { second: Number.NaN, text: '' };

/** RFC 3339 with seconds, as `metav1.Time` is written: `2026-01-02T03:04:05Z`. */
export function formatTime(milliseconds: number): string {
  const second = Math.floor(milliseconds / 1000);
  if (second !== formatted.second)
    formatted = { second, text: `${new Date(second * 1000).toISOString().slice(0, 19)}Z` };
  return formatted.text;
}

/** RFC 3339 with six digits, as `metav1.MicroTime` is written: `2026-01-02T03:04:05.678000Z`. */
export function formatMicroTime(milliseconds: number): string {
  const micros = Math.floor(milliseconds * 1000);
  const whole = new Date(Math.floor(micros / 1000)).toISOString().slice(0, 23);
  return `${whole}${String(micros % 1000).padStart(3, '0')}Z`;
}

/** Milliseconds since the epoch of an RFC 3339 time; NaN where there is none or it is not one. */
export function parseTime(text: string | null | undefined): number {
  return text === null || text === undefined ? Number.NaN : Date.parse(text);
}
