import type { StatefulSet } from '#pkg/api';
import type { Metrics } from '#pkg/metrics';

import { slotsOf } from './decide.ts';
import { maxUnavailable } from './rolling.ts';
import { type Snapshot, isUnavailable } from './snapshot.ts';

const LABELS = ['statefulset_namespace', 'statefulset_name', 'pod_management_policy'] as const;

/** How many Pods of each set may be, and are, unavailable (`pkg/controller/statefulset/metrics`). */
export class UnavailabilityMetrics {
  readonly #allowed;
  readonly #unavailable;

  constructor(metrics: Metrics) {
    this.#allowed = metrics.gauge<(typeof LABELS)[number]>({
      name: 'statefulset_controller_statefulset_max_unavailable',
      help: 'Pods of a StatefulSet that may be unavailable during a rolling update.',
      stability: 'ALPHA',
      labels: LABELS,
    });
    this.#unavailable = metrics.gauge<(typeof LABELS)[number]>({
      name: 'statefulset_controller_statefulset_unavailable_replicas',
      help: 'Pods of a StatefulSet that are missing or not available.',
      stability: 'ALPHA',
      labels: LABELS,
    });
  }

  observe(snapshot: Snapshot): void {
    const { set, now } = snapshot;
    this.#allowed.set(labelsOf(set), maxUnavailable(set));
    this.#unavailable.set(labelsOf(set), slotsOf(snapshot).filter(({ pod }) => isUnavailable(pod, set, now)).length);
  }

  /** The set is gone, and its series with it. */
  forget(set: StatefulSet): void {
    this.#allowed.remove(labelsOf(set));
    this.#unavailable.remove(labelsOf(set));
  }
}

function labelsOf({ metadata, spec }: StatefulSet): Record<(typeof LABELS)[number], string> {
  return {
    statefulset_namespace: metadata.namespace ?? '',
    statefulset_name: metadata.name,
    pod_management_policy: spec?.podManagementPolicy ?? 'OrderedReady',
  };
}
