import type { KubeList, KubeObject, NamespacedName, NewObject, ResourceType, WatchEvent } from '#pkg/api';
import type { Lane } from './transport.ts';

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Whole call, ms; the client's default where missing. */
  readonly timeout?: number;
  /** `lease` for leader election only; otherwise by verb. */
  readonly lane?: Lane;
}

export interface ReadOptions extends CallOptions {
  /** Only `metadata` of each object is sent (`PartialObjectMetadata`). */
  readonly metadataOnly?: boolean;
  /** Leaves `metadata.managedFields` out, before anything is parsed: for caches, which never write objects back whole. */
  readonly dropManagedFields?: boolean;
}

/** Names of fields below a field; an empty one stands for everything below. A list is gone through element by element. */
export interface FieldTree {
  readonly [name: string]: FieldTree;
}

export interface ListOptions extends ReadOptions {
  /** All namespaces where missing. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly limit?: number;
  readonly continue?: string;
  readonly resourceVersion?: string;
  readonly resourceVersionMatch?: 'Exact' | 'NotOlderThan';
  /** Ask for `PartialObjectMetadata`: objects with nothing but kind and metadata. */
  readonly metadataOnly?: boolean;
  /** Cut `metadata.managedFields` out of the bytes before they are parsed. */
  readonly dropManagedFields?: boolean;
  /** Leave out of each object what is not here, before it is parsed. Kind and metadata stay, but for managed fields. */
  readonly keep?: FieldTree;
}

export interface WatchOptions extends Omit<ListOptions, 'limit' | 'continue'> {
  readonly allowWatchBookmarks?: boolean;
  readonly sendInitialEvents?: boolean;
  /** The server ends the watch after it. `timeout` is until the stream opens; then only the signal bounds it. */
  readonly timeoutSeconds?: number;
  /**
   * What the caller holds of an object. Where an event says the same of it, that part is handed out again instead of
   * being built anew: most events change little of their object.
   */
  readonly known?: (name: string, namespace: string | undefined) => KubeObject | undefined;
}

export interface WriteOptions extends CallOptions {
  /** Reads only the metadata of the answered object, without managed fields: for callers who need its name and version. */
  readonly metadataOnly?: boolean;
  readonly dryRun?: boolean;
  readonly fieldManager?: string;
}

export interface CreateOptions extends WriteOptions {
  /** The object's JSON as it is to be sent, where its bytes matter and not only what they say. */
  readonly encoded?: string;
}

export interface DeleteOptions extends CallOptions {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly dryRun?: boolean;
}

export type PatchType = 'json' | 'merge' | 'strategic' | 'apply';

export interface PatchOptions extends WriteOptions {
  readonly subresource?: string;
  /** Server-side apply only: take fields from other managers. */
  readonly force?: boolean;
}

/** Typed verbs on one resource. Every call rejects with an `ApiError` when refused, a `TransportError` when unanswered. */
export interface ResourceClient<T extends KubeObject> {
  get(name: NamespacedName, options?: ReadOptions): Promise<T>;
  list(options?: ListOptions): Promise<KubeList<T>>;
  /**
   * Events from `resourceVersion` on; ends when the server ends it; throws an ApiError for an ERROR event. The request
   * goes out with the first `next()`; leaving the loop ends the stream. Long runs of events are broken up, so that the
   * event loop stays free.
   */
  watch(options?: WatchOptions): AsyncIterable<WatchEvent<T>>;
  create(object: NewObject<T>, options?: CreateOptions): Promise<T>;
  update(object: T, options?: WriteOptions): Promise<T>;
  updateStatus(object: T, options?: WriteOptions): Promise<T>;
  patch(name: NamespacedName, type: PatchType, body: unknown, options?: PatchOptions): Promise<T>;
  delete(name: NamespacedName, options?: DeleteOptions): Promise<void>;
}

export interface Client {
  resource<T extends KubeObject>(type: ResourceType<T>): ResourceClient<T>;
  /** Any path, JSON in and out: discovery, reviews, subresources. */
  request<R = unknown>(request: RawRequest, options?: CallOptions): Promise<R>;
}

export interface RawRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  /** Content type of the body; `application/json` where missing. */
  readonly contentType?: string;
  /** What to ask for; JSON where missing. An answer that is not JSON comes back as its text. */
  readonly accept?: string;
}
