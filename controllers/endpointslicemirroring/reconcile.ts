import { type EndpointSlice, type Endpoints, type ObjectKey, type Service, keyOf, resources, splitKey } from '#pkg/api';
import { describeError } from '#pkg/base';
import type { Lister, SharedInformer } from '#pkg/cache';
import { type ResourceClient, ignoreNotFound } from '#pkg/client';
import { type ControllerContext, type ReconcileResult, inParallel } from '#pkg/controller';

import { Efficiency, EndpointsError, SliceTracker, slicesOf, writeSlices } from '../internal/endpoints/index.ts';
import { type Decision, decide } from './decide.ts';
import { MirroringMetrics, SUBSYSTEM } from './metrics.ts';
import { MANAGER } from './slice.ts';
import { hasSelector, mayBeMirrored } from './triggers.ts';

export interface ReconcilerOptions {
  readonly context: Pick<ControllerContext, 'client' | 'clock' | 'recorder' | 'log' | 'metrics'>;
  readonly endpoints: Pick<Lister<Endpoints>, 'get'>;
  readonly services: Pick<Lister<Service>, 'get'>;
  /** That `indexSlices` was called with. */
  readonly slices: Pick<SharedInformer<EndpointSlice>, 'lister' | 'hasReached'>;
  /** Most endpoints mirrored from one subset. */
  readonly limit: number;
}

/** Deletions for one Service in flight together. */
const CONCURRENCY = 8;

/** Brings the slices of one Service without selector to what its Endpoints say. */
export class Reconciler {
  readonly tracker: SliceTracker;
  readonly #options: ReconcilerOptions;
  readonly #client: ResourceClient<EndpointSlice>;
  readonly #metrics: MirroringMetrics;
  readonly #efficiency: Efficiency;
  /** The version of Endpoints whose left out addresses were told of last. */
  readonly #reported = new Map<ObjectKey, string>();

  constructor(options: ReconcilerOptions) {
    const { metrics, client } = options.context;
    this.#options = options;
    this.tracker = new SliceTracker(options.slices);
    this.#client = client.resource(resources.endpointSlices);
    this.#metrics = new MirroringMetrics(metrics);
    this.#efficiency = new Efficiency({
      metrics,
      subsystem: SUBSYSTEM,
      endpointsPerSlice: options.limit,
      placeholder: false,
    });
  }

  async reconcile(key: ObjectKey, signal: AbortSignal): Promise<ReconcileResult | void> {
    const { clock } = this.#options.context;
    const started = clock.monotonic();
    try {
      return await this.#sync(key, signal);
    } finally {
      this.#metrics.synced(clock.monotonic() - started);
    }
  }

  async #sync(key: ObjectKey, signal: AbortSignal): Promise<ReconcileResult | undefined> {
    const { context, services, slices, limit } = this.#options;
    const existing = slicesOf(slices.lister, key, MANAGER);
    const endpoints = this.#options.endpoints.get(key);
    const service = services.get(key);
    if (!endpoints || !service || !mayBeMirrored(endpoints) || hasSelector(service)) {
      await this.#clear(key, existing, signal);
      return undefined;
    }
    if (this.tracker.isStale(key, existing)) {
      // The slice that is missing wakes the Service when it comes; the wait is for when it does not.
      context.log.v(2)?.info('EndpointSlice informer cache is out of date', { endpoints: key });
      return { requeueAfter: 0 };
    }
    const decision = decide({ endpoints, existing, limit });
    this.#report(endpoints, decision);
    this.#metrics.mirrored(decision);
    this.#efficiency.set(key, decision.groups);
    for (const slice of decision.settled) if (!this.tracker.has(slice)) this.tracker.written(slice);
    const writing = { client: this.#client, tracker: this.tracker, changes: this.#metrics.changes };
    await writeSlices(endpoints, resources.endpoints.kind, decision.changes, writing, signal);
    return undefined;
  }

  #report(endpoints: Endpoints, { invalid, skipped }: Decision): void {
    const { context, limit } = this.#options;
    const key = keyOf(endpoints);
    const { resourceVersion } = endpoints.metadata;
    if (skipped === 0 || this.#reported.get(key) === resourceVersion) return;
    this.#reported.set(key, resourceVersion);
    if (invalid.length > 0) {
      context.log.info('Addresses in Endpoints are not valid IPs, they are not mirrored to an EndpointSlice', {
        endpoints: key,
        addresses: invalid,
      });
      context.recorder.event(
        endpoints,
        'Warning',
        'InvalidIPAddress',
        `Skipped ${invalid.length} invalid IP addresses when mirroring to EndpointSlices`,
      );
    }
    if (skipped > invalid.length) {
      context.log.info('Endpoints have more addresses in a subset than are mirrored', { endpoints: key, skipped });
      const message = `A max of ${limit} addresses can be mirrored to EndpointSlices per Endpoints subset. ${skipped} addresses were skipped`;
      context.recorder.event(endpoints, 'Warning', 'TooManyAddressesToMirror', message);
    }
  }

  /** Nothing is mirrored any more: what was goes (`deleteMirroredSlices`). */
  async #clear(key: ObjectKey, existing: readonly EndpointSlice[], signal: AbortSignal): Promise<void> {
    this.#efficiency.forget(key);
    this.#reported.delete(key);
    const { going = [], present = [] } = Object.groupBy(existing, (slice) =>
      this.tracker.expectsDeletion(slice) ? 'going' : 'present',
    );
    // A slice that was made and is not in the cache yet counts as foreign from now on, so that its coming brings the key back.
    this.tracker.forget(key);
    for (const slice of going) this.tracker.expectDeletion(slice);
    const { errors } = await inParallel(present, (slice) => this.#remove(slice, signal), CONCURRENCY);
    signal.throwIfAborted();
    if (errors.length === 0) return;
    const { namespace, name } = splitKey(key);
    const text = `error(s) deleting ${errors.length}/${present.length} EndpointSlices for ${namespace}/${name} Endpoints, including: ${describeError(errors[0])}`;
    throw new EndpointsError('WriteFailed', text, { object: key }, { cause: errors[0] });
  }

  async #remove(slice: EndpointSlice, signal: AbortSignal): Promise<void> {
    const options = { preconditions: { uid: slice.metadata.uid }, signal };
    await ignoreNotFound(this.#client.delete(slice.metadata, options));
    this.tracker.expectDeletion(slice);
  }
}
