import type { Timer } from '#pkg/base';
import type { Handler } from '../handler/handler.ts';
import { type JsonObject, listAt, objectsAt, stringAt } from '../json.ts';
import type { Registry, Resource } from '../registry/registry.ts';
import type { Entry, StoreEvent } from '../store/index.ts';
import { objectPath, request, storedResources } from './api.ts';
import type { World } from './world.ts';

interface Node {
  readonly resource: Resource;
  readonly key: string;
  readonly owners: ReadonlyMap<string, boolean>;
}

const ORPHAN = 'orphan';
const FOREGROUND = 'foregroundDeletion';
const MERGE = 'application/merge-patch+json';

/**
 * Deletes what has lost its owners, lets dependents go first where asked, and orphans where asked: what the garbage
 * collector of a controller manager does, for clusters whose manager has none.
 */
export class GarbageCollector {
  readonly #world: World;
  readonly #handler: Handler;
  readonly #nodes = new Map<string, Node>();
  readonly #dependents = new Map<string, Set<string>>();
  readonly #queue = new Set<string>();
  readonly #stops: (() => void)[] = [];
  #timer: Timer | undefined;

  constructor(world: World, server: { readonly handler: Handler; readonly registry: Registry }) {
    this.#world = world;
    this.#handler = server.handler;
    const { store } = world;
    for (const resource of storedResources(server.registry.all())) {
      if (resource.storage === 'events') continue;
      for (const entry of store.page(resource.storage, {}).entries) this.#see(resource, entry);
      this.#stops.push(store.watch(resource.storage, {}, store.revision, (event) => this.#onEvent(resource, event)));
    }
  }

  stop(): void {
    for (const stop of this.#stops) stop();
    this.#timer?.cancel();
    this.#queue.clear();
  }

  #onEvent(resource: Resource, { type, entry }: StoreEvent): void {
    if (type === 'DELETED') this.#forget(uidOf(entry));
    else this.#see(resource, entry);
  }

  #see(resource: Resource, entry: Entry): void {
    const uid = uidOf(entry);
    const references = objectsAt(entry.object['metadata'], 'ownerReferences');
    const owners = new Map(references.map((owner) => [String(owner['uid']), owner['blockOwnerDeletion'] === true]));
    this.#unlink(uid);
    this.#nodes.set(uid, { resource, key: entry.key, owners });
    for (const owner of owners.keys()) {
      const dependents = this.#dependents.get(owner) ?? new Set<string>();
      this.#dependents.set(owner, dependents.add(uid));
    }
    const deleting = stringAt(entry.object['metadata'], 'deletionTimestamp') !== undefined;
    if (owners.size > 0 || deleting) this.#add(uid);
  }

  #forget(uid: string): void {
    const owners = this.#nodes.get(uid)?.owners ?? new Map<string, boolean>();
    this.#unlink(uid);
    this.#nodes.delete(uid);
    for (const dependent of this.#dependents.get(uid) ?? []) this.#add(dependent);
    for (const owner of owners.keys()) this.#add(owner);
  }

  #unlink(uid: string): void {
    for (const owner of this.#nodes.get(uid)?.owners.keys() ?? []) {
      const dependents = this.#dependents.get(owner);
      dependents?.delete(uid);
      if (dependents?.size === 0) this.#dependents.delete(owner);
    }
  }

  #add(uid: string): void {
    this.#queue.add(uid);
    this.#timer ??= this.#world.clock.setTimeout(() => {
      this.#timer = undefined;
      const uids = [...this.#queue];
      this.#queue.clear();
      void Promise.all(uids.map((each) => this.#process(each)));
    }, 0);
  }

  async #process(uid: string): Promise<void> {
    const node = this.#nodes.get(uid);
    const entry = node && this.#world.store.get(node.resource.storage, node.key);
    if (node === undefined || entry === undefined || uidOf(entry) !== uid) return;
    const finalizers = listAt(entry.object['metadata'], 'finalizers') as string[];
    if (stringAt(entry.object['metadata'], 'deletionTimestamp') !== undefined) {
      if (finalizers.includes(ORPHAN)) await this.#orphan(uid, node, finalizers);
      else if (finalizers.includes(FOREGROUND)) await this.#waitForDependents(uid, node, finalizers);
      return;
    }
    if (node.owners.size > 0) await this.#judge(uid, node, entry, finalizers);
  }

  /** Goes if no owner is left, or those that are left wait for it. */
  async #judge(uid: string, node: Node, entry: Entry, finalizers: readonly string[]): Promise<void> {
    const present = [...node.owners.keys()].filter((owner) => this.#nodes.has(owner));
    const waiting = present.filter((owner) => this.#isWaiting(owner));
    if (present.length > waiting.length) {
      if (present.length < node.owners.size || waiting.length > 0) {
        await this.#keepOwners(node, entry, present.filter((owner) => !waiting.includes(owner)));
      }
      return;
    }
    const foreground = finalizers.includes(FOREGROUND) || (waiting.length > 0 && (this.#dependents.get(uid)?.size ?? 0) > 0);
    const propagationPolicy = finalizers.includes(ORPHAN) ? 'Orphan' : foreground ? 'Foreground' : 'Background';
    await request(this.#handler, 'DELETE', objectPath(node.resource, node.key), { propagationPolicy, preconditions: { uid } });
  }

  #isWaiting(owner: string): boolean {
    const node = this.#nodes.get(owner);
    const entry = node && this.#world.store.get(node.resource.storage, node.key);
    const metadata = entry?.object['metadata'];
    return stringAt(metadata, 'deletionTimestamp') !== undefined && listAt(metadata, 'finalizers').includes(FOREGROUND);
  }

  async #orphan(uid: string, node: Node, finalizers: readonly string[]): Promise<void> {
    for (const dependent of this.#dependents.get(uid) ?? []) {
      const other = this.#nodes.get(dependent);
      const entry = other && this.#world.store.get(other.resource.storage, other.key);
      if (other !== undefined && entry !== undefined) {
        await this.#keepOwners(other, entry, [...other.owners.keys()].filter((owner) => owner !== uid));
      }
    }
    await this.#dropFinalizer(node, finalizers, ORPHAN);
  }

  async #waitForDependents(uid: string, node: Node, finalizers: readonly string[]): Promise<void> {
    const blocking = [...(this.#dependents.get(uid) ?? [])].filter((each) => this.#nodes.get(each)?.owners.get(uid) === true);
    for (const dependent of this.#dependents.get(uid) ?? []) this.#addUnlessGoing(dependent);
    if (blocking.length === 0) await this.#dropFinalizer(node, finalizers, FOREGROUND);
  }

  #addUnlessGoing(uid: string): void {
    const node = this.#nodes.get(uid);
    const entry = node && this.#world.store.get(node.resource.storage, node.key);
    if (entry !== undefined && stringAt(entry.object['metadata'], 'deletionTimestamp') === undefined) this.#add(uid);
  }

  async #keepOwners(node: Node, entry: Entry, owners: readonly string[]): Promise<void> {
    const ownerReferences = objectsAt(entry.object['metadata'], 'ownerReferences').filter((owner) => owners.includes(String(owner['uid'])));
    const metadata: JsonObject = { uid: uidOf(entry), ownerReferences: ownerReferences.length === 0 ? null : ownerReferences };
    await request(this.#handler, 'PATCH', objectPath(node.resource, node.key), { metadata }, MERGE);
  }

  async #dropFinalizer(node: Node, finalizers: readonly string[], finalizer: string): Promise<void> {
    const rest = finalizers.filter((each) => each !== finalizer);
    const metadata = { finalizers: rest.length === 0 ? null : rest };
    await request(this.#handler, 'PATCH', objectPath(node.resource, node.key), { metadata }, MERGE);
  }
}

function uidOf(entry: Entry): string {
  return String((entry.object['metadata'] as JsonObject)['uid']);
}
