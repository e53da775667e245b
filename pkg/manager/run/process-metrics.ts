import { monitorEventLoopDelay } from 'node:perf_hooks';

import { collectDefaultMetrics } from 'prom-client';

import type { Metrics } from '#pkg/metrics';

/** Upper bounds of the event loop's delay, seconds. */
const DELAY_BUCKETS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5];
/** Between two measurements of the delay, ms. A process at rest does little else than wake up for them. */
const RESOLUTION = 100;
const MOST_SAMPLES = 10_000;

/**
 * The process' own: prom-client's defaults (CPU, memory, file descriptors, garbage collection), and how long the one
 * thread kept others waiting. The result ends the measuring.
 */
export function processMetrics(metrics: Metrics): () => void {
  collectDefaultMetrics({ register: metrics.registry, eventLoopMonitoringPrecision: RESOLUTION });
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION });
  delay.enable();
  const histogram = metrics.histogram({
    name: 'nodejs_eventloop_delay_seconds',
    help: 'How much longer than asked for the event loop took to come round.',
    stability: 'ALPHA',
    buckets: DELAY_BUCKETS,
  });
  metrics.beforeExpose(() => {
    // Node keeps a histogram of its own, from which ours is filled whenever somebody looks; after a long time of nobody
    // looking only as far as that does not itself hold up the loop.
    const samples = Math.min(delay.count, MOST_SAMPLES);
    let taken = 0;
    for (const [percentile, nanoseconds] of delay.percentiles) {
      const seconds = Math.max(0, nanoseconds / 1e9 - RESOLUTION / 1000);
      for (const upTo = Math.round((samples * percentile) / 100); taken < upTo; taken++) histogram.observe(seconds);
    }
    delay.reset();
  });
  return () => delay.disable();
}
