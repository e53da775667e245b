import type { ResourceType } from '#pkg/api';
import type { Clock } from '#pkg/base';
import type { Metrics } from '#pkg/metrics';

import type { ReflectorObserver } from './reflector.ts';

/** How fine the staleness is known, ms. */
const CONTACT_RESOLUTION = 1000;
const LABELS = ['name', 'group', 'version', 'resource'] as const;

/** What one informer reports. The first two are upstream's (component-base `clientgo/fifo`), the others are ours. */
export interface InformerMetrics extends ReflectorObserver {
  /** `count` more (or, negative, fewer) items wait to be told to handlers. */
  queued(count: number): void;
  /** One item was applied and told, in `milliseconds`. */
  processed(milliseconds: number): void;
  panicked(handler: string): void;
  /** Objects in the cache. */
  size(count: number): void;
}

/** `name` is the informer factory's, as upstream labels it: `kube-controller-manager`. */
export function informerMetrics(metrics: Metrics, clock: Clock, name: string, resource: ResourceType): InformerMetrics {
  const labels = { name, group: resource.group, version: resource.version, resource: resource.resource };
  const queued = metrics.gauge({
    name: 'informer_queued_items',
    help: 'Number of items currently queued in the FIFO.',
    stability: 'ALPHA',
    labels: LABELS,
  });
  const latency = metrics.histogram({
    name: 'informer_processing_latency_seconds',
    help: 'Time taken to process events after popping from the queue.',
    stability: 'ALPHA',
    labels: LABELS,
    buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  });
  const panics = metrics.counter({
    name: 'informer_handler_panics_total',
    help: 'Event handlers that threw, by handler.',
    stability: 'ALPHA',
    labels: [...LABELS, 'handler'] as const,
  });
  const requests = metrics.counter({
    name: 'informer_requests_total',
    help: 'Lists in pages (list), streamed lists (stream) and watches (watch) begun.',
    stability: 'ALPHA',
    labels: [...LABELS, 'kind'] as const,
  });
  const failures = metrics.counter({
    name: 'informer_failures_total',
    help: 'Lists and watches that failed, by what the failure means.',
    stability: 'ALPHA',
    labels: [...LABELS, 'reason'] as const,
  });
  const contact = metrics.gauge({
    name: 'informer_last_contact_timestamp_seconds',
    help: 'When the server last answered or sent an event or bookmark. The cache is as stale as this is old.',
    stability: 'ALPHA',
    labels: LABELS,
  });
  const objects = metrics.gauge({
    name: 'informer_objects',
    help: 'Objects in the cache.',
    stability: 'ALPHA',
    labels: LABELS,
  });
  queued.set(labels, 0);
  objects.set(labels, 0);
  const one = { queued: queued.labels(labels), latency: latency.labels(labels), contact: contact.labels(labels) };
  const size = objects.labels(labels);
  let lastSize = 0;
  let lastContact = Number.NEGATIVE_INFINITY;
  return {
    queued: (count) => one.queued.inc(count),
    processed: (milliseconds) => one.latency.observe(milliseconds / 1000),
    panicked: (handler) => panics.inc({ ...labels, handler }),
    requested: (kind) => requests.inc({ ...labels, kind }),
    failed: (reason) => failures.inc({ ...labels, reason }),
    // A sample costs more than an event does otherwise: none where it would say nothing new.
    contacted: () => {
      const now = clock.monotonic();
      if (now - lastContact < CONTACT_RESOLUTION) return;
      lastContact = now;
      one.contact.set(clock.now() / 1000);
    },
    size: (count) => {
      if (count !== lastSize) size.set(count);
      lastSize = count;
    },
  };
}
