import type { Metrics } from '#pkg/metrics';

/** What the queue tells of itself; seconds. */
export interface QueueMetrics {
  added(): void;
  retried(): void;
  waited(seconds: number): void;
  worked(seconds: number): void;
}

/** What is asked of the queue when the metrics are read. */
export interface QueueState {
  /** Distinct keys that are to be handed out. */
  depth(): number;
  /** For every key being processed, how long already, seconds. */
  running(): Iterable<number>;
}

/** 10 ns to 10 s (`ExponentialBuckets(10e-9, 10, 10)`), with the digits Go's multiplication leaves. */
const BUCKETS = Array.from({ length: 9 }).reduce<number[]>((all) => [...all, all.at(-1)! * 10], [1e-8]);

const label = { stability: 'BETA', labels: ['name'] } as const;

/**
 * The `workqueue_*` families (component-base/metrics/prometheus/workqueue). Depth and the two ages of unfinished work are
 * computed when they are read, not by a timer as upstream; counts are kept as plain numbers until then.
 */
export function registerQueueMetrics(metrics: Metrics, name: string, state: QueueState): QueueMetrics {
  const depth = metrics.gauge({ ...label, name: 'workqueue_depth', help: 'Current depth of workqueue' });
  const adds = metrics.counter({
    ...label,
    name: 'workqueue_adds_total',
    help: 'Total number of adds handled by workqueue',
  });
  const retries = metrics.counter({
    ...label,
    name: 'workqueue_retries_total',
    help: 'Total number of retries handled by workqueue',
  });
  const unfinished = metrics.gauge({
    ...label,
    name: 'workqueue_unfinished_work_seconds',
    help: 'Seconds spent so far, summed, on keys that are still being processed; it grows steadily where workers hang.',
  });
  const longest = metrics.gauge({
    ...label,
    name: 'workqueue_longest_running_processor_seconds',
    help: 'Seconds spent so far on the key that has been processed for longest.',
  });
  const queueDuration = metrics.histogram({
    ...label,
    name: 'workqueue_queue_duration_seconds',
    help: 'Seconds a key waits in the queue until it is handed out.',
    buckets: BUCKETS,
  });
  const workDuration = metrics.histogram({
    ...label,
    name: 'workqueue_work_duration_seconds',
    help: 'Seconds it takes to process a key.',
    buckets: BUCKETS,
  });
  queueDuration.zero({ name });
  workDuration.zero({ name });
  const wait = queueDuration.labels(name);
  const work = workDuration.labels(name);

  let added = 0;
  let retried = 0;
  let lastDepth = 0;
  metrics.beforeExpose(() => {
    adds.inc({ name }, added);
    retries.inc({ name }, retried);
    added = 0;
    retried = 0;
    // By difference: two queues of one name add up.
    const now = state.depth();
    depth.inc({ name }, now - lastDepth);
    lastDepth = now;
    let sum = 0;
    let oldest = 0;
    for (const age of state.running()) {
      sum += age;
      oldest = Math.max(oldest, age);
    }
    unfinished.set({ name }, sum);
    longest.set({ name }, oldest);
  });

  return {
    added: () => void added++,
    retried: () => void retried++,
    waited: (seconds) => wait.observe(seconds),
    worked: (seconds) => work.observe(seconds),
  };
}
