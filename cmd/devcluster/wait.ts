import { sleep, systemClock } from '#pkg/base';
import { DevclusterError } from './errors.ts';

const PERIOD = 50;

/** Resolves when `holds` does; rejects with a message that says what did not happen, or as `failure` does. */
export async function waitFor(
  what: string,
  limit: number,
  signal: AbortSignal,
  holds: () => boolean | Promise<boolean>,
): Promise<void> {
  const end = systemClock.monotonic() + limit;
  while (!(await holds())) {
    if (systemClock.monotonic() > end)
      throw new DevclusterError('TimedOut', `waited ${limit / 1000} s, and not: ${what}`);
    await sleep(systemClock, PERIOD, signal);
  }
}
