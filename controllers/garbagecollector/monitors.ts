import { type KubeObject, type ResourceType, apiVersionOf, groupResource } from '#pkg/api';
import type { Clock } from '#pkg/base';
import type { Follower, InformerFactory } from '#pkg/cache';
import type { Logger } from '#pkg/log';

import { type Graph, versionOf } from './graph.ts';
import { nameOf } from './kinds.ts';
import type { Kind, Vertex } from './vertex.ts';

/** What is being kept up with for the graph. */
interface Monitor {
  readonly kind: Kind;
  readonly since: number;
  /** Everything that was there at its start is in the graph. */
  synced(): boolean;
  stop(): Promise<void>;
}

export interface MonitorsOptions {
  readonly informers: InformerFactory;
  readonly graph: Graph;
  readonly clock: Clock;
  readonly log: Logger;
  /** An object changed by which the server may come to serve other resources. */
  readonly onDefinition: () => void;
}

/** A monitor that has not come so far in this time will not soon, ms. */
const YOUNG = 30_000;
/** Objects that say what else there is. */
const DEFINITIONS = new Set(['customresourcedefinitions.apiextensions.k8s.io', 'apiservices.apiregistration.k8s.io']);

/**
 * Keeps the graph up with every resource that can be collected: through the cache that a controller of this process has
 * anyway, and where there is none by following the resource's metadata, of which nothing is kept but what the graph needs.
 */
export class Monitors {
  readonly #options: MonitorsOptions;
  readonly #monitors = new Map<string, Monitor>();
  readonly #ending = new Set<Promise<void>>();

  constructor(options: MonitorsOptions) {
    this.#options = options;
  }

  get names(): string[] {
    return [...this.#monitors.keys()];
  }

  /** All have synced, and there are some. */
  get synced(): boolean {
    return this.#monitors.size > 0 && this.unsynced.length === 0;
  }

  get unsynced(): string[] {
    return [...this.#monitors].filter(([, monitor]) => !monitor.synced()).map(([name]) => name);
  }

  /** One has been started a moment ago: there may be dependents that the graph is about to show. */
  get settling(): boolean {
    const { clock } = this.#options;
    return [...this.#monitors.values()].some(
      (monitor) => !monitor.synced() && clock.monotonic() - monitor.since < YOUNG,
    );
  }

  /**
   * Starts and ends monitors so that there is one for each of `wanted`. What has synced stays while the server cannot say
   * whether it still serves it.
   */
  adjust(wanted: readonly ResourceType[], isUnknown: (apiVersion: string) => boolean): void {
    const { log } = this.#options;
    const kept = new Set(
      [...this.#monitors.values()].filter((monitor) => monitor.synced() && isUnknown(monitor.kind.apiVersion)),
    );
    const resources = new Set([...kept].map(({ kind }) => groupResource(kind.resource)));
    const wantedNames = new Set(wanted.map(nameOf));
    const ended: Monitor[] = [];
    for (const [name, monitor] of this.#monitors) {
      if (wantedNames.has(name) || kept.has(monitor)) continue;
      this.#monitors.delete(name);
      ended.push(monitor);
    }
    let added = 0;
    for (const resource of wanted) {
      // Of a resource whose version of choice cannot be had at the moment, the objects are known already.
      if (this.#monitors.has(nameOf(resource)) || resources.has(groupResource(resource))) continue;
      this.#monitors.set(nameOf(resource), this.#start(resource));
      added++;
    }
    for (const monitor of ended) this.#retire(monitor);
    log.v(4)?.info('synced monitors', { added, kept: this.#monitors.size - added, removed: ended.length });
  }

  /** Resolves when nothing of those that were ended is in the graph any more. */
  async ended(): Promise<void> {
    await Promise.all(this.#ending);
  }

  async stop(): Promise<void> {
    const monitors = [...this.#monitors.values()];
    this.#monitors.clear();
    await Promise.all([...monitors.map((monitor) => monitor.stop()), ...this.#ending]);
  }

  #start(resource: ResourceType): Monitor {
    const { informers, graph, clock, log } = this.#options;
    const kind: Kind = { resource, apiVersion: apiVersionOf(resource), objects: 0 };
    const onChange = DEFINITIONS.has(groupResource(resource)) ? this.#options.onDefinition : () => {};
    const informer = informers.existing(resource);
    log.v(4)?.info(informer ? 'using a shared informer' : 'following a resource', { resource: nameOf(resource) });
    const since = clock.monotonic();
    if (informer === undefined) return new Following(informers, graph, kind, since, onChange);
    const observe = ({ metadata }: KubeObject): void => {
      graph.observe(kind, metadata);
      onChange();
    };
    const registration = informer.addEventHandler(
      {
        onAdd: observe,
        onUpdate: (_, object) => observe(object),
        onDelete({ metadata }) {
          graph.remove(kind, metadata.uid);
          onChange();
        },
      },
      { name: 'garbage-collector-controller', resyncPeriod: 0 },
    );
    return { kind, since, synced: () => registration.hasSynced(), stop: async () => registration.remove() };
  }

  /** What it alone could see is not known any more. Of a resource that is seen in another version now, most is by then. */
  #retire(monitor: Monitor): void {
    const { graph } = this.#options;
    const end = async (): Promise<void> => {
      await monitor.stop();
      for (const vertex of graph.vertices()) if (vertex.kind === monitor.kind) graph.forget(vertex);
    };
    const ending = end().finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
  }
}

/** A resource that nobody caches. */
class Following implements Monitor, Follower {
  readonly kind: Kind;
  readonly since: number;
  readonly #graph: Graph;
  readonly #onChange: () => void;
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;
  /** Known before the list under way began, and not in it so far. */
  #missing = new Set<Vertex>();
  #wentBack = false;
  #synced = false;

  constructor(informers: InformerFactory, graph: Graph, kind: Kind, since: number, onChange: () => void) {
    this.kind = kind;
    this.since = since;
    this.#graph = graph;
    this.#onChange = onChange;
    this.#ended = informers.follow(kind.resource, this, this.#stop.signal);
  }

  get size(): number {
    return this.kind.objects;
  }

  synced(): boolean {
    return this.#synced;
  }

  async stop(): Promise<void> {
    this.#stop.abort(new DOMException('the monitor ends', 'AbortError'));
    await this.#ended;
  }

  begin(wentBack: boolean): void {
    this.#wentBack = wentBack;
    this.#missing = new Set();
    if (this.size === 0) return;
    for (const vertex of this.#graph.vertices()) if (vertex.kind === this.kind) this.#missing.add(vertex);
  }

  listed({ metadata }: KubeObject): void {
    const known = this.#known(metadata.uid);
    if (known) this.#missing.delete(known);
    if (this.#wentBack || isNews(known, metadata.resourceVersion)) this.#graph.observe(this.kind, metadata);
  }

  end(): void {
    for (const { uid } of this.#missing) this.#graph.remove(this.kind, uid);
    this.#missing = new Set();
    this.#synced = true;
    this.#onChange();
  }

  changed(type: 'ADDED' | 'MODIFIED' | 'DELETED', { metadata }: KubeObject): void {
    const { uid, resourceVersion } = metadata;
    if (type === 'DELETED') this.#graph.remove(this.kind, uid);
    else if (!this.#graph.hasGone(uid) && isNews(this.#known(uid), resourceVersion))
      this.#graph.observe(this.kind, metadata);
    this.#onChange();
  }

  #known(uid: string): Vertex | undefined {
    const vertex = this.#graph.get(uid);
    return vertex?.kind === this.kind ? vertex : undefined;
  }
}

/** Versions that cannot be compared are taken as they come. */
function isNews(known: Vertex | undefined, resourceVersion: string): boolean {
  if (known === undefined) return true;
  const version = versionOf(resourceVersion);
  return typeof version !== 'number' || typeof known.version !== 'number' || version > known.version;
}
