import { type EndpointSlice, type Node, type ObjectKey, type Pod, type Service, keyOf, resources } from '#pkg/api';
import { describeError, isAbort } from '#pkg/base';
import type { Lister, SharedInformer } from '#pkg/cache';
import { type ControllerContext, type ReconcileResult, aggregate } from '#pkg/controller';

import {
  type AddressType,
  Efficiency,
  EndpointsError,
  SliceTracker,
  TriggerTimes,
  addressTypesOf,
  hasEndpoints,
  podsOf,
  slicesOf,
  writeSlices,
} from '../internal/endpoints/index.ts';
import { type Layout, decideLayout, decideWrites } from './decide.ts';
import { type Slices, withoutHints } from './hints.ts';
import { EndpointSliceMetrics, SUBSYSTEM } from './metrics.ts';
import { MANAGER } from './slice.ts';
import { usesTopologyAnnotation } from './topology-annotation.ts';
import { type HintsEvent, TopologyHints } from './topology-hints.ts';
import { trafficDistributionOf, withCloseHints } from './traffic-distribution.ts';
import type { ZoneCapacity } from './zone-capacity.ts';

export interface ReconcilerOptions {
  readonly context: Pick<ControllerContext, 'client' | 'clock' | 'recorder' | 'log' | 'metrics' | 'featureGates'>;
  readonly services: Lister<Service>;
  readonly pods: Lister<Pod>;
  readonly nodes: Lister<Node>;
  readonly slices: Pick<SharedInformer<EndpointSlice>, 'lister' | 'hasReached'>;
  readonly zones: ZoneCapacity;
  /** Most endpoints in one slice. */
  readonly limit: number;
}

/** One address type of a Service at hand. */
interface Task {
  readonly service: Service;
  readonly key: ObjectKey;
  readonly type: AddressType;
  readonly pods: readonly Pod[];
  readonly existing: readonly EndpointSlice[];
  readonly triggerTime: string | undefined;
}

const ADDRESS_TYPES: readonly AddressType[] = ['IPv4', 'IPv6'];

/**
 * Time, ms, that is left between two writes for one Service. Where Pods come and go together, their changes are written
 * together; the first of them is not kept waiting.
 */
const PACE = 500;

/** First and longest wait, ms, for a cache that does not show what was written; mostly it does within milliseconds. */
const STALE_BASE = 1000;
const STALE_MAX = 1_000_000;

/** Brings the slices of one Service nearer to what it selects. */
export class Reconciler {
  readonly tracker: SliceTracker;
  readonly hints = new TopologyHints();
  readonly #options: ReconcilerOptions;
  readonly #times = new TriggerTimes();
  readonly #metrics: EndpointSliceMetrics;
  readonly #efficiency: Efficiency;
  readonly #preferSame: boolean;
  /** When slices of a Service were last written, monotonic. */
  readonly #written = new Map<ObjectKey, number>();
  /** How often in a row a Service was found stale. */
  readonly #stale = new Map<ObjectKey, number>();
  /** Services that leave out Pods of a node, by the node's name. */
  readonly #awaitingNode = new Map<string, Set<ObjectKey>>();

  constructor(options: ReconcilerOptions) {
    const { metrics, featureGates } = options.context;
    this.#options = options;
    this.tracker = new SliceTracker(options.slices);
    this.#metrics = new EndpointSliceMetrics(metrics);
    this.#efficiency = new Efficiency({
      metrics,
      subsystem: SUBSYSTEM,
      endpointsPerSlice: options.limit,
      placeholder: true,
    });
    this.#preferSame = featureGates.enabled('PreferSameTrafficDistribution');
  }

  /** Services that have left out Pods of this node; they are to be looked at now that it is here. */
  awaiting(node: string): readonly ObjectKey[] {
    const keys = this.#awaitingNode.get(node) ?? [];
    this.#awaitingNode.delete(node);
    return [...keys];
  }

  async reconcile(key: ObjectKey, signal: AbortSignal): Promise<ReconcileResult | void> {
    const early = this.#untilNext(key);
    if (early > 0) return { requeueAfter: early };
    try {
      const wait = await this.#sync(key, signal);
      this.#metrics.synced(wait === undefined ? 'success' : 'stale');
      return wait;
    } catch (error) {
      if (!isAbort(error, signal)) this.#metrics.synced('error');
      throw error;
    }
  }

  async #sync(key: ObjectKey, signal: AbortSignal): Promise<ReconcileResult | undefined> {
    const service = this.#options.services.get(key);
    if (!service) {
      this.#forget(key);
      return undefined;
    }
    if (!hasEndpoints(service)) return undefined;
    const slices = slicesOf(this.#options.slices.lister, key, MANAGER);
    // The slice that is missing wakes the Service when it comes; the wait is for when it does not.
    if (this.tracker.isStale(key, slices)) return { requeueAfter: this.#backOff(key) };
    this.#stale.delete(key);
    const pods = podsOf(this.#options.pods, service);
    const triggerTime = this.#times.look(service, pods);
    try {
      await this.#syncSlices(service, key, pods, slices, triggerTime, signal);
    } catch (error) {
      if (!isAbort(error, signal)) this.#report(service, key, error);
      throw error;
    }
    return undefined;
  }

  #report(service: Service, key: ObjectKey, error: unknown): void {
    const message = `Error updating Endpoint Slices for Service ${key}: ${describeError(error)}`;
    this.#options.context.recorder.event(service, 'Warning', 'FailedToUpdateEndpointSlices', message);
  }

  /** Each address type for itself: what fails of one is no reason to leave the other. */
  async #syncSlices(
    service: Service,
    key: ObjectKey,
    pods: readonly Pod[],
    slices: readonly EndpointSlice[],
    triggerTime: string | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const types = addressTypesOf(service);
    const errors: unknown[] = [];
    for (const type of types) {
      const existing = slices.filter(({ addressType }) => addressType === type);
      errors.push(...(await this.#syncType({ service, key, type, pods, existing, triggerTime }, signal)));
      signal.throwIfAborted();
    }
    const obsolete = slices.filter(({ addressType }) => !types.some((type) => type === addressType));
    for (const { addressType } of obsolete) this.hints.forget(key, addressType as AddressType);
    for (const type of ADDRESS_TYPES) if (!types.includes(type)) this.#efficiency.forget(`${key} ${type}`);
    errors.push(...(await this.#write(service, { create: [], update: [], remove: obsolete }, signal)));
    const error = aggregate(errors);
    if (error !== undefined) throw error;
  }

  async #syncType(task: Task, signal: AbortSignal): Promise<readonly unknown[]> {
    const { service, key, type, pods, existing, triggerTime } = task;
    const { nodes, limit } = this.#options;
    const layout = decideLayout({ service, type, pods, existing, limit, nodeOf: (name) => nodes.get(name) });
    this.#metrics.packed(layout.added, layout.removed);
    this.#efficiency.set(`${key} ${type}`, layout.groups);
    const distribution = trafficDistributionOf(service, this.#preferSame);
    this.#metrics.distribution(key, distribution);
    const { slices, events } = this.#hint(task, layout, distribution);

    const changes = decideWrites(slices, layout.remove, { service, type, triggerTime });
    const errors = [...this.#skipped(key, layout), ...(await this.#write(service, changes, signal))];
    if (errors.length === layout.skipped.length) {
      const labels = {
        topology: usesTopologyAnnotation(service.metadata.annotations) ? 'Auto' : 'Disabled',
        traffic_distribution: distribution ?? '',
      } as const;
      this.#metrics.written(changes.create.length + changes.update.length + changes.remove.length, labels);
    }
    for (const event of events) this.#options.context.recorder.event(service, event.type, event.reason, event.message);
    return errors;
  }

  #hint(
    { service, key, type }: Task,
    layout: Slices,
    distribution: string | undefined,
  ): { readonly slices: Slices; readonly events: readonly HintsEvent[] } {
    if (usesTopologyAnnotation(service.metadata.annotations)) {
      const { slices, event } = this.hints.hint(key, type, layout, this.#options.zones.ratios);
      return { slices, events: event ? [event] : [] };
    }
    const event = this.hints.leave(key, type);
    const slices = distribution === undefined ? withoutHints(layout) : withCloseHints(layout, distribution);
    return { slices, events: event ? [event] : [] };
  }

  /** A Pod that is left out is an error, so that the Service comes back; the node itself brings it back sooner. */
  #skipped(key: ObjectKey, { skipped }: Layout): EndpointsError[] {
    return skipped.map(({ pod, node }) => {
      const waiting = this.#awaitingNode.get(node) ?? new Set<ObjectKey>();
      this.#awaitingNode.set(node, waiting.add(key));
      return new EndpointsError('NodeMissing', `skipping Pod ${pod} for Service ${key}: Node ${node} Not Found`, {
        object: key,
      });
    });
  }

  async #write(
    service: Service,
    changes: Parameters<typeof writeSlices>[2],
    signal: AbortSignal,
  ): Promise<readonly unknown[]> {
    const { context } = this.#options;
    if (changes.create.length + changes.update.length + changes.remove.length === 0) return [];
    const client = context.client.resource(resources.endpointSlices);
    try {
      await writeSlices(
        service,
        resources.services.kind,
        changes,
        { client, tracker: this.tracker, changes: this.#metrics.changes },
        signal,
      );
      // A failure is no reason to wait: what comes back after it waits longer as it is.
      this.#written.set(keyOf(service), context.clock.monotonic());
      return [];
    } catch (error) {
      signal.throwIfAborted();
      return [error];
    }
  }

  /** Whole ms until the Service may be written for again; to come back sooner than in one would count as a failure. */
  #untilNext(key: ObjectKey): number {
    const last = this.#written.get(key);
    return last === undefined ? 0 : Math.ceil(last + PACE - this.#options.context.clock.monotonic());
  }

  #backOff(key: ObjectKey): number {
    const times = this.#stale.get(key) ?? 0;
    this.#stale.set(key, times + 1);
    this.#options.context.log.v(2)?.info('EndpointSlice informer cache is out of date', { service: key, times });
    return Math.min(STALE_BASE * 2 ** times, STALE_MAX);
  }

  #forget(key: ObjectKey): void {
    this.tracker.forget(key);
    this.hints.forget(key);
    this.#times.forget(key);
    this.#stale.delete(key);
    this.#written.delete(key);
    this.#metrics.distribution(key, undefined);
    for (const [node, waiting] of this.#awaitingNode)
      if (waiting.delete(key) && waiting.size === 0) this.#awaitingNode.delete(node);
    for (const type of ADDRESS_TYPES) this.#efficiency.forget(`${key} ${type}`);
  }
}
