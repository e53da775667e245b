import type { ObjectKey } from '#pkg/api';
import type { Counter, Metrics } from '#pkg/metrics';

export const SUBSYSTEM = 'endpoint_slice_controller';
const POWERS_OF_TWO = Array.from({ length: 15 }, (_, i) => 2 ** (i + 1));
/** What Prometheus takes where nothing is said. */
const USUAL = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** The controller's own metrics, those of `Efficiency` left out (`staging/src/k8s.io/endpointslice/metrics`). */
export class EndpointSliceMetrics {
  /** By operation: create, update, delete. */
  readonly changes: Counter<'operation'>;
  readonly #added;
  readonly #removed;
  readonly #changed;
  readonly #syncs;
  readonly #services;
  /** Traffic distribution of the Services that have one. */
  readonly #distributions = new Map<ObjectKey, string>();
  readonly #counts = new Map<string, number>();

  constructor(metrics: Metrics) {
    this.changes = metrics.counter({
      name: `${SUBSYSTEM}_changes`,
      help: 'EndpointSlices created, updated and deleted.',
      stability: 'ALPHA',
      labels: ['operation'],
    });
    this.#added = metrics.histogram({
      name: `${SUBSYSTEM}_endpoints_added_per_sync`,
      help: 'Endpoints added by one sync of a Service.',
      stability: 'ALPHA',
      buckets: POWERS_OF_TWO,
    });
    this.#removed = metrics.histogram({
      name: `${SUBSYSTEM}_endpoints_removed_per_sync`,
      help: 'Endpoints removed by one sync of a Service.',
      stability: 'ALPHA',
      buckets: POWERS_OF_TWO,
    });
    this.#changed = metrics.histogram({
      name: `${SUBSYSTEM}_endpointslices_changed_per_sync`,
      help: 'EndpointSlices changed by one sync of a Service.',
      stability: 'ALPHA',
      labels: ['topology', 'traffic_distribution'],
      buckets: USUAL,
    });
    this.#syncs = metrics.counter({
      name: `${SUBSYSTEM}_syncs`,
      help: 'Syncs of Services, by how they ended: success, stale or error.',
      stability: 'ALPHA',
      labels: ['result'],
    });
    this.#services = metrics.gauge({
      name: `${SUBSYSTEM}_services_count_by_traffic_distribution`,
      help: 'Services that ask for their traffic to be distributed in a certain way.',
      stability: 'ALPHA',
      labels: ['traffic_distribution'],
    });
  }

  synced(result: 'success' | 'stale' | 'error'): void {
    this.#syncs.inc({ result });
  }

  packed(added: number, removed: number): void {
    this.#added.observe(added);
    this.#removed.observe(removed);
  }

  /** Slices of one address type were written. */
  written(
    slices: number,
    labels: { readonly topology: 'Auto' | 'Disabled'; readonly traffic_distribution: string },
  ): void {
    this.#changed.observe(labels, slices);
  }

  /** What the Service asks for; nothing where it does not, or is gone. */
  distribution(service: ObjectKey, wanted: string | undefined): void {
    const before = this.#distributions.get(service);
    if (before === wanted) return;
    if (wanted === undefined) this.#distributions.delete(service);
    else this.#distributions.set(service, wanted);
    this.#count(before, -1);
    this.#count(wanted, 1);
  }

  #count(distribution: string | undefined, by: number): void {
    if (distribution === undefined) return;
    const count = (this.#counts.get(distribution) ?? 0) + by;
    this.#counts.set(distribution, count);
    this.#services.set({ traffic_distribution: distribution }, count);
  }
}
