interface Waiter {
  readonly holds: () => boolean;
  readonly resolve: () => void;
}

/** Promises that resolve when something is found to hold. */
export class Waiters {
  readonly #waiters = new Set<Waiter>();

  /** Resolves once `holds`; rejects with the signal's reason as soon as it aborts. */
  wait(holds: () => boolean, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      if (holds()) {
        resolve();
        return;
      }
      const onAbort = (): void => {
        this.#waiters.delete(waiter);
        reject(signal.reason);
      };
      const waiter: Waiter = {
        holds,
        resolve: () => {
          this.#waiters.delete(waiter);
          signal.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      this.#waiters.add(waiter);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** Looks at every condition; call when one may have come to hold. */
  check(): void {
    for (const waiter of this.#waiters) if (waiter.holds()) waiter.resolve();
  }
}
