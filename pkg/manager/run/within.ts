import { type Clock, sleep } from '#pkg/base';
import type { RunningEventRecorder } from '#pkg/events';

/** Events that are not out this long after the controllers' end are lost, ms: a standby waits for the lease. */
const FLUSH_TIME = 1000;

/** Gives recorders a last chance to send what they have. */
export function flush(clock: Clock, recorders: readonly RunningEventRecorder[]): Promise<void> {
  return within(clock, FLUSH_TIME, async (signal) => {
    await Promise.all(recorders.map((recorder) => recorder.stop(signal)));
  });
}

/** Waits for `task` for a time; its signal aborts when the time is up. */
export async function within(
  clock: Clock,
  milliseconds: number,
  task: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const timeUp = new AbortController();
  const done = new AbortController();
  const timer = sleep(clock, milliseconds, done.signal).then(
    () => timeUp.abort(new Error('out of time')),
    () => {},
  );
  await Promise.race([task(timeUp.signal), timer]);
  done.abort();
}
