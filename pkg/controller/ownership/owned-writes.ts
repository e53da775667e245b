import type { KubeObject, NamespacedName, NewObject, ResourceType } from '#pkg/api';
import type { Lister, SharedInformer } from '#pkg/cache';
import type {
  CreateOptions,
  DeleteOptions,
  PatchOptions,
  PatchType,
  ReadOptions,
  ResourceClient,
  WriteOptions,
} from '#pkg/client';

import type { ControllerContext } from '../definition/definition.ts';

/** Records that an object of `resource` was written on behalf of `owner`. */
export type RecordWrite = (owner: KubeObject, resource: ResourceType, written: KubeObject) => void;

export interface OwnedWritesParts<T extends KubeObject> {
  readonly context: Pick<ControllerContext, 'client'>;
  readonly informer: SharedInformer<T>;
  readonly record: RecordWrite;
}

/**
 * Requests for objects of one resource on behalf of an owner. Each write records its resource version, so that the owner
 * waits for the cache to read it. Every call rejects with what the client rejects with; a deletion of what is gone with
 * NotFound (`ignoreNotFound`).
 */
export class OwnedWrites<Owner extends KubeObject, T extends KubeObject> {
  readonly resource: ResourceType<T>;
  readonly lister: Lister<T>;
  readonly #client: ResourceClient<T>;
  readonly #record: RecordWrite;

  constructor({ context, informer, record }: OwnedWritesParts<T>) {
    this.resource = informer.resource;
    this.lister = informer.lister;
    this.#client = context.client.resource(informer.resource);
    this.#record = record;
  }

  /** Reads the object from the server, for what a cache may not show yet. */
  get(name: NamespacedName, options?: ReadOptions): Promise<T> {
    return this.#client.get(name, options);
  }

  create(owner: Owner, object: NewObject<T>, options?: CreateOptions): Promise<T> {
    return this.#recorded(owner, this.#client.create(object, options));
  }

  update(owner: Owner, object: T, options?: WriteOptions): Promise<T> {
    return this.#recorded(owner, this.#client.update(object, options));
  }

  patch(owner: Owner, name: NamespacedName, type: PatchType, body: unknown, options?: PatchOptions): Promise<T> {
    return this.#recorded(owner, this.#client.patch(name, type, body, options));
  }

  /** Records nothing: a deletion answers with no version. What waits for it is an expectation. */
  delete(name: NamespacedName, options?: DeleteOptions): Promise<void> {
    return this.#client.delete(name, options);
  }

  /** Makes the owner wait for an object that was read from the server, as for one that was written. */
  record(owner: Owner, object: T): void {
    this.#record(owner, this.resource, object);
  }

  async #recorded(owner: Owner, request: Promise<T>): Promise<T> {
    const written = await request;
    this.record(owner, written);
    return written;
  }
}
