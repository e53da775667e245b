import { type Clock, formatTime, semanticEqual } from '#pkg/base';
import { type JsonObject, cloneJson, listAt } from '../json.ts';
import type { Registry, Resource } from '../registry/registry.ts';
import { trackUpdate } from '../managed-fields/index.ts';
import { schemaFor } from '../schema/index.ts';
import type { Entry, Store, StoreEvent } from '../store/index.ts';
import { CLEANUP_FINALIZER, DEFINITIONS, type Definition, readDefinition } from './definition.ts';
import { acceptNames, setCondition, takenNames } from './naming.ts';
import { resourcesOf } from './serving.ts';

export interface CustomResourcesOptions {
  readonly store: Store;
  readonly registry: Registry;
  readonly clock: Clock;
  /** Deletes every object of a resource, as its clients would. */
  readonly deleteAll: (resource: Resource) => void;
}

const SCHEMA = schemaFor('apiextensions.k8s.io', 'v1', 'CustomResourceDefinition')!;

interface Serving {
  /** What was served: while it stays the same, watches stay, too. */
  readonly basis: JsonObject;
  readonly resources: readonly Resource[];
  readonly end: AbortController;
}

/**
 * Serves what CustomResourceDefinitions define, from the moment a definition is stored until the last of its objects has gone.
 * What the original's controllers for names, establishing, discovery and clean-up do one after the other, this does at once,
 * so that a definition is served when the answer to its creation goes out.
 */
export class CustomResources {
  readonly #options: CustomResourcesOptions;
  readonly #serving = new Map<string, Serving>();
  readonly #waiting = new Map<string, () => void>();
  readonly #stop: () => void;

  constructor(options: CustomResourcesOptions) {
    this.#options = options;
    this.#stop = options.store.watch(DEFINITIONS, {}, options.store.revision, (event) => this.#observe(event));
  }

  close(): void {
    this.#stop();
    for (const stop of this.#waiting.values()) stop();
    this.#waiting.clear();
  }

  #observe({ type, entry }: StoreEvent): void {
    if (type === 'DELETED') this.#retire(entry.key, readDefinition(entry.object).group);
    else this.#settle(entry.key);
  }

  /** Brings status and serving of a definition to where its spec wants them, one write at a time. */
  #settle(name: string): void {
    const { store, clock } = this.#options;
    // Events can be told after later writes: what counts is what is there now.
    const entry = store.get(DEFINITIONS, name);
    if (entry === undefined) return;
    const { object } = entry;
    const definition = readDefinition(object);
    const time = formatTime(clock.now());
    const named = acceptNames(object, definition, takenNames(this.#othersOf(definition)), time);
    if (named !== undefined) {
      this.#write(entry, named);
      this.#reconsider(definition);
      return;
    }
    if (definition.namesAccepted && !definition.established) {
      const established = cloneJson<JsonObject>(object);
      setCondition(
        established,
        {
          type: 'Established',
          status: 'True',
          reason: 'InitialNamesAccepted',
          message: 'the initial names have been accepted',
        },
        time,
      );
      this.#write(entry, established);
      return;
    }
    if (definition.established) this.#serve(definition, object);
    if (definition.terminating && listAt(object['metadata'], 'finalizers').includes(CLEANUP_FINALIZER))
      this.#cleanUp(name, definition);
  }

  /** Writes the status of a definition as its controllers do. */
  #write(live: Entry, object: JsonObject): void {
    const { store, clock } = this.#options;
    const tracked = {
      schema: SCHEMA,
      live: live.object,
      object,
      manager: 'kube-apiserver',
      subresource: 'status',
      time: formatTime(clock.now()),
    };
    (object['metadata'] as JsonObject)['managedFields'] = trackUpdate(tracked);
    store.update(DEFINITIONS, live.key, object, live.revision);
  }

  #othersOf({ name, group }: Definition): Definition[] {
    const entries = this.#options.store.page(DEFINITIONS, {}).entries;
    return entries
      .map(({ object }) => readDefinition(object))
      .filter((other) => other.group === group && other.name !== name);
  }

  /** A name that has come free may be what another definition waits for. */
  #reconsider(definition: Definition): void {
    for (const other of this.#othersOf(definition)) if (!other.namesAccepted) this.#settle(other.name);
  }

  #serve(definition: Definition, object: Readonly<JsonObject>): void {
    const { registry } = this.#options;
    const before = this.#serving.get(definition.name);
    const basis = { spec: object['spec'], names: definition.accepted, terminating: definition.terminating };
    if (before !== undefined && semanticEqual(before.basis, basis)) return;
    // Losing the right to create ends no watch; another spec does, as in the original.
    const sameSpec =
      before !== undefined && semanticEqual({ ...before.basis, terminating: definition.terminating }, basis);
    const end = sameSpec ? before.end : new AbortController();
    const resources = resourcesOf(definition, end.signal);
    for (const { group, version, resource } of before?.resources ?? []) {
      if (!resources.some((other) => other.version === version && other.resource === resource))
        registry.remove(group, version, resource);
    }
    for (const resource of resources) registry.put(resource);
    this.#serving.set(definition.name, { basis, resources, end });
    if (!sameSpec) before?.end.abort();
  }

  #retire(name: string, group: string): void {
    const serving = this.#serving.get(name);
    this.#serving.delete(name);
    this.#waiting.get(name)?.();
    this.#waiting.delete(name);
    for (const resource of serving?.resources ?? [])
      this.#options.registry.remove(resource.group, resource.version, resource.resource);
    serving?.end.abort();
    for (const { object } of this.#options.store.page(DEFINITIONS, {}).entries) {
      const other = readDefinition(object);
      if (other.group === group && !other.namesAccepted) this.#settle(other.name);
    }
  }

  /** Deletes what the definition defines, waits for what does not go at once, and lets the definition go (`pkg/controller/finalizer`). */
  #cleanUp(name: string, definition: Definition): void {
    const { store } = this.#options;
    if (this.#waiting.has(name)) return;
    const resource = this.#serving.get(name)?.resources[0];
    if (resource === undefined) {
      this.#letGo(name, 'NeverEstablished', 'resource was never established');
      return;
    }
    const entry = store.get(DEFINITIONS, name)!;
    this.#write(
      entry,
      this.#marked(entry, 'True', 'InstanceDeletionInProgress', 'CustomResource deletion is in progress'),
    );
    const stop = store.watch(definition.name, {}, store.revision, ({ type }) => {
      if (type === 'DELETED') this.#finish(name);
    });
    this.#waiting.set(name, stop);
    this.#options.deleteAll(resource);
    this.#finish(name);
  }

  #finish(name: string): void {
    if (!this.#waiting.has(name) || this.#options.store.count(name) > 0) return;
    this.#waiting.get(name)?.();
    this.#waiting.delete(name);
    this.#letGo(name, 'InstanceDeletionCompleted', 'removed all instances');
  }

  #marked(entry: Entry, status: 'True' | 'False', reason: string, message: string): JsonObject {
    const object = cloneJson<JsonObject>(entry.object);
    setCondition(object, { type: 'Terminating', status, reason, message }, formatTime(this.#options.clock.now()));
    return object;
  }

  /** Takes the finalizer off, which ends the definition unless someone else's finalizer holds it. */
  #letGo(name: string, reason: string, message: string): void {
    const { store } = this.#options;
    const entry = store.get(DEFINITIONS, name);
    if (entry === undefined) return;
    const object = this.#marked(entry, 'False', reason, message);
    const metadata = object['metadata'] as JsonObject;
    const left = listAt(metadata, 'finalizers').filter((finalizer) => finalizer !== CLEANUP_FINALIZER);
    metadata['finalizers'] = left;
    if (left.length === 0) store.delete(DEFINITIONS, name);
    else this.#write(entry, object);
  }
}
