import PQueue from 'p-queue';

/** Requests of one batch in flight together. Our client's rate limit stands behind it. */
const CONCURRENCY = 64;

export interface FanOutResult {
  readonly successes: number;
  /** In the order of the items; empty when all went well. */
  readonly errors: readonly unknown[];
}

/** Runs `task` for every item, some at a time; all are tried whatever fails. */
export async function inParallel<T>(
  items: readonly T[],
  task: (item: T) => Promise<void>,
  concurrency = CONCURRENCY,
): Promise<FanOutResult> {
  // A queue is there to make some wait: without need of that it would cost as much as the requests' own bookkeeping.
  const queue = items.length > concurrency ? new PQueue({ concurrency }) : undefined;
  const outcomes = await Promise.allSettled(items.map((item) => (queue ? queue.add(() => task(item)) : task(item))));
  const errors = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
  return { successes: items.length - errors.length, errors };
}

/**
 * Runs `task` `count` times in batches of 1, 2, 4, 8 ..., each only after the one before went well. When all are bound
 * to fail alike (quota, admission) this costs one refused request and one event instead of hundreds. The first batch
 * with a failure is finished, the rest is skipped (`slowStartBatch` in `pkg/controller/replicaset`).
 */
export async function slowStart(
  count: number,
  task: () => Promise<void>,
  concurrency = CONCURRENCY,
): Promise<FanOutResult> {
  let successes = 0;
  for (let size = Math.min(1, count); size > 0; size = Math.min(2 * size, count - successes)) {
    const batch = await inParallel(Array.from({ length: size }), task, concurrency);
    successes += batch.successes;
    if (batch.errors.length > 0) return { successes, errors: batch.errors };
  }
  return { successes, errors: [] };
}
