import type { Clock } from '#pkg/base';

/** How long the first answer may take before the rest is started all the same, ms. */
const PATIENCE = 200;

/** Something that is started later, once. */
export interface LateStart<T> {
  /** Starts it now, where that has not happened yet. */
  begin(): void;
  /** Resolves when it has started, or to false when the signal aborts first: if it fails, somebody has to abort. */
  ready(signal: AbortSignal): Promise<boolean>;
  /** Keeps it from starting, or waits until it has: what it came to, undefined where there is nothing to end. */
  callOff(): Promise<T | undefined>;
}

/**
 * What a start leaves for when the first request is answered: it takes as much CPU as all before it, and none of it is
 * needed to ask for the lease. An API server that does not answer does not hold it up for long.
 */
export function lateStart<T>(clock: Clock, start: () => Promise<T>, onFailure: (error: unknown) => void): LateStart<T> {
  const { promise: started, resolve } = Promise.withResolvers<void>();
  let under: Promise<T | undefined> | undefined;
  let calledOff = false;
  const timer = clock.setTimeout(begin, PATIENCE);

  function begin(): void {
    timer.cancel();
    if (under || calledOff) return;
    under = start().then(
      (result) => {
        resolve();
        return result;
      },
      (error: unknown) => {
        onFailure(error);
        return undefined;
      },
    );
  }

  return {
    begin,
    async ready(signal) {
      const aborted = Promise.withResolvers<boolean>();
      const onAbort = (): void => aborted.resolve(false);
      if (signal.aborted) onAbort();
      signal.addEventListener('abort', onAbort, { once: true });
      try {
        return await Promise.race([started.then(() => true), aborted.promise]);
      } finally {
        signal.removeEventListener('abort', onAbort);
      }
    },
    async callOff() {
      calledOff = true;
      timer.cancel();
      return under;
    },
  };
}
