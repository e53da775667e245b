import {
  ApiError,
  type KubeObject,
  type OwnerReference,
  type ResourceType,
  apiVersionOf,
  groupResource,
  keyOf,
  makeKey,
  resources,
} from '#pkg/api';
import { type Random, seededRandom } from '#pkg/base';
import { createInformerFactory, type InformerFactory } from '#pkg/cache';
import type { Client, RawRequest } from '#pkg/client';
import type { Controller } from '#pkg/controller';
import { silentLogger } from '#pkg/log';
import { Metrics } from '#pkg/metrics';
import {
  type ClusterRequest,
  FakeClock,
  FakeCluster,
  LaggingInformers,
  RecordedEvents,
  createControllers,
  settle,
} from '#pkg/testing';

import { garbageCollectorController } from './index.ts';

export const widgets: ResourceType = {
  group: 'example.com',
  version: 'v1',
  resource: 'widgets',
  kind: 'Widget',
  namespaced: true,
};
export const clusterWidgets: ResourceType = {
  group: 'example.com',
  version: 'v1',
  resource: 'clusterwidgets',
  kind: 'ClusterWidget',
  namespaced: false,
};

/** What there is in such a cluster; some is cached by somebody else, some is only followed. */
export const TYPES: readonly ResourceType[] = [
  resources.pods,
  resources.configMaps,
  resources.nodes,
  widgets,
  clusterWidgets,
];
const CACHED: readonly ResourceType[] = [resources.pods, resources.nodes];

/** What the server tells of `example.com`; of what is hidden or named only it serves nothing, either. */
export type Discoverable = 'all' | 'stale' | 'hidden' | 'named' | 'nothing';

export interface CollectedWorldOptions {
  readonly seed: number;
  /** Longest time that a change takes to reach the graph, and a request to be carried out, ms. */
  readonly lag: number;
  readonly latency: number;
  /** Lists and watches instead of caches that are told. */
  readonly realInformers: boolean;
}

/** A garbage collector at work on a fake cluster, and an eye on whether it does wrong. */
export class CollectedWorld {
  readonly clock = new FakeClock();
  readonly cluster: FakeCluster;
  readonly events = new RecordedEvents();
  /** Deletions that were wrong, in words. */
  readonly wrongs: string[] = [];
  discoverable: Discoverable = 'all';
  /** Share of requests that fail. */
  faults = 0;
  readonly #random: Random;
  readonly #options: CollectedWorldOptions;
  /** When an owner was last seen to wait for its dependents. */
  readonly #waited = new Map<string, number>();
  #deleting: ClusterRequest | undefined;
  #run:
    | { readonly abort: AbortController; readonly informers: InformerFactory; readonly ended: Promise<unknown> }
    | undefined;

  constructor(options: CollectedWorldOptions) {
    this.#options = options;
    this.#random = seededRandom(options.seed);
    const { clock } = this;
    this.cluster = new FakeCluster({
      clock,
      random: this.#random,
      latency: () => Math.floor(this.#random() * options.latency),
    });
    this.cluster.fault = (request) => {
      this.#deleting = request.verb === 'delete' ? request : undefined;
      if (request.verb === 'delete') this.#judge(request);
      if (this.#isHidden(request.type))
        return new ApiError({ code: 404, reason: 'NotFound', message: '404 page not found' });
      if (this.#random() >= this.faults) return undefined;
      return this.#random() < 0.5 ? 'lose' : 'refuse';
    };
    this.cluster.onChange(({ type, resource, object }) => {
      const { uid, deletionTimestamp } = object.metadata;
      if (isWaiting(object)) this.#waited.set(uid, Number.POSITIVE_INFINITY);
      else if (this.#waited.get(uid) === Number.POSITIVE_INFINITY) this.#waited.set(uid, clock.monotonic());
      const request = this.#deleting;
      if (request?.type !== resource || request.key !== keyOf(object) || (type !== 'DELETED' && !deletionTimestamp))
        return;
      if (this.#wrong !== undefined) this.wrongs.push(this.#wrong);
    });
  }

  #wrong: string | undefined;

  start(): void {
    const { clock, cluster, events: recorder } = this;
    const { lag, realInformers } = this.#options;
    const random = this.#random;
    const metrics = new Metrics();
    const client = this.#client();
    const informers: InformerFactory = realInformers
      ? createInformerFactory({ client, clock, random, log: silentLogger, metrics })
      : new LaggingInformers({ cluster, clock, lag: () => Math.floor(random() * lag) });
    for (const type of CACHED) informers.informer(type);
    const shared = { informers, recorder, clock, random, log: silentLogger, metrics };
    const [controller] = createControllers({ controllers: [garbageCollectorController] }, shared, () => client) as [
      Controller,
    ];
    const abort = new AbortController();
    informers.start(abort.signal);
    this.#run = { abort, informers, ended: controller.run(abort.signal) };
  }

  async stop(): Promise<void> {
    const run = this.#run;
    this.#run = undefined;
    run?.abort.abort(new DOMException('the world ends', 'AbortError'));
    await settle();
    await this.clock.step(0);
    await run?.ended;
    await run?.informers.shutdown();
  }

  /** Every object there is. */
  all(): { readonly type: ResourceType; readonly object: KubeObject }[] {
    return TYPES.flatMap((type) => this.cluster.list(type).map((object) => ({ type, object })));
  }

  /** The object of these coordinates, as somebody in `namespace` means them. */
  find({ apiVersion, kind, name, uid }: OwnerReference, namespace: string | undefined): KubeObject | undefined {
    const type = TYPES.find((each) => each.kind === kind && apiVersionOf(each) === apiVersion);
    const found = type && this.cluster.get(type, makeKey(type.namespaced ? namespace : undefined, name));
    return found?.metadata.uid === uid ? found : undefined;
  }

  /** Notes whether the deletion that is about to be carried out is wrong. */
  #judge({ type, key }: ClusterRequest): void {
    this.#wrong = undefined;
    const object = this.cluster.get(type, key);
    if (object === undefined) return;
    const { ownerReferences = [], namespace } = object.metadata;
    const alive = ownerReferences.filter((reference) => {
      const owner = this.find(reference, namespace);
      return owner !== undefined && !this.#waits(owner);
    });
    if (ownerReferences.length === 0) this.#wrong = `${groupResource(type)} ${key} has no owners`;
    else if (alive.length > 0)
      this.#wrong = `${groupResource(type)} ${key} is owned by ${alive.map(({ name }) => name).join()}`;
    else if (
      namespace === undefined &&
      ownerReferences.some(({ kind }) => TYPES.some((each) => each.kind === kind && each.namespaced))
    ) {
      this.#wrong = `${groupResource(type)} ${key} claims an owner in no namespace`;
    }
  }

  /** Or did so a moment ago: it has been on its way out since. */
  #waits({ metadata }: KubeObject): boolean {
    const since = this.#waited.get(metadata.uid);
    return (
      since !== undefined && this.clock.monotonic() - since <= 1000 + 2 * this.#options.latency + this.#options.lag
    );
  }

  #isHidden(type: ResourceType): boolean {
    return (this.discoverable === 'hidden' || this.discoverable === 'named') && type.group === 'example.com';
  }

  #client(): Client {
    return { ...this.cluster.client(), request: <R>(request: RawRequest) => this.#discover(request) as Promise<R> };
  }

  async #discover({ path }: RawRequest): Promise<unknown> {
    if (this.discoverable === 'nothing')
      throw new ApiError({ code: 503, reason: 'ServiceUnavailable', message: 'not now' });
    const groups = new Map<string, ResourceType[]>();
    for (const type of TYPES)
      if ((type.group === '') === (path === '/api')) groups.set(type.group, [...(groups.get(type.group) ?? []), type]);
    const items = [...groups]
      .filter(([group]) => group === '' || this.discoverable !== 'hidden')
      .map(([group, types]) => ({
        metadata: { name: group },
        versions: [
          {
            version: 'v1',
            freshness: group !== '' && this.discoverable === 'stale' ? 'Stale' : 'Current',
            resources: types.map(({ resource, kind, namespaced }) => ({
              resource,
              responseKind: { group: '', version: '', kind },
              scope: namespaced ? 'Namespaced' : 'Cluster',
              verbs: ['create', 'delete', 'get', 'list', 'patch', 'watch'],
            })),
          },
        ],
      }));
    return { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', items };
  }
}

function isWaiting({ metadata }: KubeObject): boolean {
  return metadata.deletionTimestamp !== undefined && metadata.finalizers?.includes('foregroundDeletion') === true;
}
