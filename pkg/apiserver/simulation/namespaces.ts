import type { Timer } from '#pkg/base';
import type { Handler } from '../handler/handler.ts';
import { listAt, stringAt } from '../json.ts';
import type { Registry } from '../registry/registry.ts';
import { request, storedResources } from './api.ts';
import type { World } from './world.ts';

/** Between looks at a namespace that is still not empty, ms. */
const PERIOD = 200;

/**
 * Empties namespaces that are being deleted, and lets them go: what the namespace controller of a controller manager does,
 * for clusters whose manager has none.
 */
export class NamespaceCleaner {
  readonly #world: World;
  readonly #server: { readonly handler: Handler; readonly registry: Registry };
  readonly #stop: () => void;
  readonly #timers = new Map<string, Timer>();
  #stopped = false;

  constructor(world: World, server: { readonly handler: Handler; readonly registry: Registry }) {
    this.#world = world;
    this.#server = server;
    this.#stop = world.store.watch('namespaces', {}, world.store.revision, ({ type, entry }) => {
      const going = stringAt(entry.object['metadata'], 'deletionTimestamp') !== undefined;
      if (type !== 'DELETED' && going && listAt(entry.object['spec'], 'finalizers').length > 0) this.#later(entry.key, 0);
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#stop();
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }

  #later(name: string, delay: number): void {
    if (this.#stopped || this.#timers.has(name)) return;
    const timer = this.#world.clock.setTimeout(() => {
      this.#timers.delete(name);
      void this.#clean(name);
    }, delay);
    this.#timers.set(name, timer);
  }

  async #clean(name: string): Promise<void> {
    const { store } = this.#world;
    let left = 0;
    for (const resource of storedResources(this.#server.registry.all())) {
      if (!resource.namespaced || store.page(resource.storage, { namespace: name, limit: 1 }).entries.length === 0) continue;
      const path = `${resource.group === '' ? '/api' : '/apis'}/${resource.apiVersion}/namespaces/${name}/${resource.resource}`;
      await request(this.#server.handler, 'DELETE', path, { propagationPolicy: 'Background' });
      left += store.page(resource.storage, { namespace: name, limit: 1 }).entries.length;
    }
    const entry = store.get('namespaces', name);
    if (entry === undefined) return;
    if (left > 0) this.#later(name, PERIOD);
    else await request(this.#server.handler, 'PUT', `/api/v1/namespaces/${name}/finalize`, { ...entry.object, spec: { finalizers: [] } });
  }
}
