import type { ResourceType } from '#pkg/api';
import { Backoff, sleep } from '#pkg/base';
import { type Discovery, discover } from '#pkg/client';
import type { Controller, ControllerContext } from '#pkg/controller';
import type { Counter } from '#pkg/metrics';

import type { Graph } from './graph.ts';
import { type Kinds, collectable, nameOf } from './kinds.ts';
import type { Monitors } from './monitors.ts';

/** Between two looks at what the server serves, and how long new monitors are waited for, ms. */
const PERIOD = 30_000;
/** How often new monitors are asked whether they have synced, ms. */
const SYNC_POLL = 50;
/** What has brought nothing for so long is not worth waiting for, ms. */
const QUIET = 5000;
/** After a definition has changed the server takes a moment to serve what it says, ms. */
const DEFINITION_DELAY = 1000;
/** Between two looks that changes of definitions ask for, ms. */
const DEFINITION_PERIOD = 5000;

export interface DiscoveryLoopOptions {
  readonly context: ControllerContext;
  readonly graph: Graph;
  readonly kinds: Kinds;
  readonly monitors: Monitors;
}

/**
 * Finds out again and again what the server serves, and has it monitored (`GarbageCollector.Sync`). Besides its period a
 * change of a definition brings it on, so that custom resources are collected as soon as they are served.
 */
export class DiscoveryLoop implements Controller {
  readonly name: string;
  readonly #options: DiscoveryLoopOptions;
  readonly #errors: Counter<never>;
  readonly #backoff: Backoff;
  /** The collection may begin. */
  readonly #ready = Promise.withResolvers<void>();
  #begun = false;
  #wake = (): void => {};
  #poked = false;

  constructor(options: DiscoveryLoopOptions) {
    const { name, metrics, random } = options.context;
    this.name = name;
    this.#options = options;
    this.#backoff = new Backoff({ initial: 1000, max: PERIOD, factor: 2, jitter: 0.1 }, random);
    this.#errors = metrics.counter({
      name: 'garbagecollector_controller_resources_sync_error_total',
      help: 'Number of garbage collector resources sync errors',
      stability: 'ALPHA',
    });
    this.#errors.inc(0);
  }

  /** What is served may have changed. */
  poke(): void {
    this.#poked = true;
    this.#wake();
  }

  /** Resolves when the graph shows everything there is, or when that has been waited for long enough. */
  async whenSynced(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const onAbort = (): void => this.#ready.reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await this.#ready.promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  async run(signal: AbortSignal): Promise<void> {
    const { context, monitors } = this.#options;
    const tooLong = context.clock.setTimeout(() => this.#begin(), PERIOD);
    try {
      while (!signal.aborted) {
        const complete = await this.#look(signal);
        if (complete) this.#backoff.reset();
        await this.#pause(complete ? PERIOD : this.#backoff.next(), signal);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      tooLong.cancel();
      await monitors.stop();
    }
  }

  #begin(): void {
    const { context, monitors } = this.#options;
    if (this.#begun) return;
    this.#begun = true;
    if (monitors.synced) context.log.info('Garbage collector: all resource monitors have synced');
    else
      context.log.info('Garbage collector: not all resource monitors could be synced, proceeding anyways', {
        unsynced: monitors.unsynced,
      });
    this.#ready.resolve();
  }

  /** False where something could not be found out. */
  async #look(signal: AbortSignal): Promise<boolean> {
    const { context, kinds, monitors } = this.#options;
    const { log } = context;
    let discovery: Discovery;
    try {
      discovery = await discover(context.client, { signal });
    } catch (error) {
      signal.throwIfAborted();
      log.error('failed to discover resources', error);
      this.#errors.inc();
      return false;
    }
    const { failed } = discovery;
    if (failed.size > 0) log.info('failed to discover some groups', { groups: [...failed.keys()].toSorted() });
    const wanted = collectable(discovery);
    if (wanted.length === 0) {
      log.v(2)?.info('no resources reported by discovery, skipping garbage collector sync');
      this.#errors.inc();
      return false;
    }
    kinds.learn(discovery);
    const before = monitors.names;
    monitors.adjust(wanted, (apiVersion) => failed.has(apiVersion));
    await this.#follow(before, wanted, signal);
    return failed.size === 0;
  }

  async #follow(before: readonly string[], wanted: readonly ResourceType[], signal: AbortSignal): Promise<void> {
    const { context, monitors, graph } = this.#options;
    const { log } = context;
    const now = monitors.names;
    const added = now.filter((name) => !before.includes(name));
    const removed = before.filter((name) => !now.includes(name));
    if (added.length + removed.length === 0) return;
    log.v(2)?.info('syncing garbage collector with updated resources from discovery', {
      added,
      removed,
      served: wanted.map(nameOf).length,
    });
    await this.#synced(signal);
    if (monitors.synced) {
      log.v(2)?.info('synced garbage collector');
    } else {
      log.error('timed out waiting for dependency graph builder sync during GC sync', undefined, {
        unsynced: monitors.unsynced,
      });
      this.#errors.inc();
    }
    this.#begin();
    await monitors.ended();
    graph.suspectUnobserved();
  }

  /** Waits for monitors for a time. The collection begins before that where nothing more seems to come. */
  async #synced(signal: AbortSignal): Promise<void> {
    const {
      context: { clock },
      monitors,
      graph,
    } = this.#options;
    const until = clock.monotonic() + PERIOD;
    let seen = -1;
    let since = clock.monotonic();
    while (!monitors.synced && clock.monotonic() < until) {
      if (graph.size !== seen) {
        seen = graph.size;
        since = clock.monotonic();
      }
      if (clock.monotonic() - since >= QUIET) this.#begin();
      await sleep(clock, SYNC_POLL, signal);
    }
  }

  /** Until it is time, or a while after something has changed. */
  async #pause(milliseconds: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options.context;
    const started = clock.monotonic();
    const over = new AbortController();
    this.#wake = () => over.abort();
    if (this.#poked) over.abort();
    await sleep(clock, milliseconds, AbortSignal.any([signal, over.signal])).catch(() => {});
    this.#wake = () => {};
    signal.throwIfAborted();
    if (!this.#poked) return;
    const sinceLast = clock.monotonic() - started;
    await sleep(clock, Math.max(DEFINITION_DELAY, DEFINITION_PERIOD - sinceLast), signal);
    this.#poked = false;
  }
}
