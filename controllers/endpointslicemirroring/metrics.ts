import type { Counter, Histogram, Metrics } from '#pkg/metrics';

export const SUBSYSTEM = 'endpoint_slice_mirroring_controller';
const POWERS_OF_TWO = Array.from({ length: 15 }, (_, i) => 2 ** (i + 1));
const MILLISECONDS = Array.from({ length: 15 }, (_, i) => 2 ** i / 1000);

/** The controller's own metrics, those of `Efficiency` left out (`pkg/controller/endpointslicemirroring/metrics`). */
export class MirroringMetrics {
  /** By operation: create, update, delete. */
  readonly changes: Counter<'operation'>;
  readonly #added: Histogram;
  readonly #updated: Histogram;
  readonly #removed: Histogram;
  readonly #skipped: Histogram;
  readonly #duration: Histogram;

  constructor(metrics: Metrics) {
    const histogram = (name: string, help: string, buckets = POWERS_OF_TWO): Histogram =>
      metrics.histogram({ name: `${SUBSYSTEM}_${name}`, help, stability: 'ALPHA', buckets });
    this.changes = metrics.counter({
      name: `${SUBSYSTEM}_changes`,
      help: 'EndpointSlices created, updated and deleted.',
      stability: 'ALPHA',
      labels: ['operation'],
    });
    this.#added = histogram('endpoints_added_per_sync', 'Endpoints added by one sync of Endpoints.');
    this.#updated = histogram('endpoints_updated_per_sync', 'Endpoints changed by one sync of Endpoints.');
    this.#removed = histogram('endpoints_removed_per_sync', 'Endpoints removed by one sync of Endpoints.');
    this.#skipped = histogram(
      'addresses_skipped_per_sync',
      'Addresses left out by one sync of Endpoints, as invalid or as too many of one subset.',
    );
    this.#duration = histogram(
      'endpoints_sync_duration',
      'How long a sync of Endpoints took, in seconds.',
      MILLISECONDS,
    );
  }

  mirrored({
    added,
    updated,
    removed,
    skipped,
  }: {
    readonly added: number;
    readonly updated: number;
    readonly removed: number;
    readonly skipped: number;
  }): void {
    this.#skipped.observe(skipped);
    this.#added.observe(added);
    this.#updated.observe(updated);
    this.#removed.observe(removed);
  }

  /** `duration`: ms. */
  synced(duration: number): void {
    this.#duration.observe(duration / 1000);
  }
}
