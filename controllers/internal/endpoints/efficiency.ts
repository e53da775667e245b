import type { ObjectKey } from '#pkg/api';
import type { Gauge, Metrics } from '#pkg/metrics';

/** Endpoints of one group of slices, and the slices they are in. */
export interface Group {
  readonly endpoints: number;
  readonly slices: number;
}

interface Totals {
  readonly endpoints: number;
  readonly slices: number;
  readonly wanted: number;
}

const NONE: Totals = { endpoints: 0, slices: 0, wanted: 0 };

export interface EfficiencyOptions {
  readonly metrics: Metrics;
  /** Of the metrics' names: `endpoint_slice_controller`. */
  readonly subsystem: string;
  readonly endpointsPerSlice: number;
  /** A Service without endpoints has one slice all the same. */
  readonly placeholder: boolean;
}

/**
 * How many endpoints and slices there are, and how few slices would do: sums over all Services (or Endpoints), kept up
 * with each look at one (`staging/src/k8s.io/endpointslice/metrics/cache.go`).
 */
export class Efficiency {
  readonly #options: EfficiencyOptions;
  readonly #totals = new Map<ObjectKey, Totals>();
  #sum = NONE;
  readonly #endpoints: Gauge;
  readonly #slices: Gauge;
  readonly #wanted: Gauge;

  constructor(options: EfficiencyOptions) {
    const { metrics, subsystem } = options;
    this.#options = options;
    this.#endpoints = metrics.gauge({
      name: `${subsystem}_endpoints_desired`,
      help: 'Endpoints that there should be.',
      stability: 'ALPHA',
    });
    this.#slices = metrics.gauge({
      name: `${subsystem}_num_endpoint_slices`,
      help: 'EndpointSlices that there are.',
      stability: 'ALPHA',
    });
    this.#wanted = metrics.gauge({
      name: `${subsystem}_desired_endpoint_slices`,
      help: 'EndpointSlices that would do if all were as full as can be.',
      stability: 'ALPHA',
    });
  }

  /** After a look at one: its groups of slices. */
  set(key: ObjectKey, groups: Iterable<Group>): void {
    const { endpointsPerSlice, placeholder } = this.#options;
    const totals = { endpoints: 0, slices: 0, wanted: 0 };
    for (const { endpoints, slices } of groups) {
      totals.endpoints += endpoints;
      totals.slices += slices;
      totals.wanted += Math.ceil(endpoints / endpointsPerSlice);
    }
    if (placeholder && totals.wanted === 0) totals.wanted = 1;
    this.#replace(key, totals);
  }

  /** It is gone. */
  forget(key: ObjectKey): void {
    if (this.#totals.has(key)) this.#replace(key, undefined);
  }

  #replace(key: ObjectKey, totals: Totals | undefined): void {
    const before = this.#totals.get(key) ?? NONE;
    const after = totals ?? NONE;
    this.#sum = {
      endpoints: this.#sum.endpoints + after.endpoints - before.endpoints,
      slices: this.#sum.slices + after.slices - before.slices,
      wanted: this.#sum.wanted + after.wanted - before.wanted,
    };
    if (totals) this.#totals.set(key, totals);
    else this.#totals.delete(key);
    this.#endpoints.set(this.#sum.endpoints);
    this.#slices.set(this.#sum.slices);
    this.#wanted.set(this.#sum.wanted);
  }
}
