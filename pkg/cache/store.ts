import { type KubeObject, type ObjectKey, keyOf } from '#pkg/api';

import { CacheError } from './errors.ts';
import { type IndexFunction, type Lister, NAMESPACE_INDEX } from './types.ts';

/** Objects by key, and by the values of any number of indexes, which are kept up with every change. */
export class Store<T extends KubeObject> implements Lister<T> {
  readonly #objects = new Map<ObjectKey, T>();
  readonly #indexes = new Map<string, Index<T>>();

  readonly #onIndexError: (index: string, error: unknown) => void;

  /** An index function that throws keeps its object out of that index; `onIndexError` is told. */
  constructor(onIndexError: (index: string, error: unknown) => void = () => {}) {
    this.#onIndexError = onIndexError;
    this.addIndex(NAMESPACE_INDEX, namespaceOf);
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: ObjectKey): T | undefined {
    return this.#objects.get(key);
  }

  list(): IterableIterator<T> {
    return this.#objects.values();
  }

  keys(): IterableIterator<ObjectKey> {
    return this.#objects.keys();
  }

  byIndex(index: string, value: string): readonly T[] {
    const found = this.#indexes.get(index);
    if (found === undefined) throw new RangeError(`no index "${index}" was added`);
    return found.get(value);
  }

  /** Puts `object` in and returns what it replaced. */
  set(key: ObjectKey, object: T): T | undefined {
    const old = this.#objects.get(key);
    for (const index of this.#indexes.values()) index.replace(key, old, object);
    this.#objects.set(key, object);
    return old;
  }

  /** Takes the object out and returns it. */
  delete(key: ObjectKey): T | undefined {
    const old = this.#objects.get(key);
    if (old === undefined) return undefined;
    for (const index of this.#indexes.values()) index.replace(key, old, undefined);
    this.#objects.delete(key);
    return old;
  }

  /** Throws a CacheError when the name stands for another function already. */
  addIndex(name: string, valuesOf: IndexFunction<T>): void {
    const known = this.#indexes.get(name);
    if (known?.valuesOf === valuesOf) return;
    if (known !== undefined)
      throw new CacheError('IndexConflict', 'the index name is taken by another function', { name });
    const index = new Index(valuesOf, (error) => this.#onIndexError(name, error));
    for (const [key, object] of this.#objects) index.replace(key, undefined, object);
    this.#indexes.set(name, index);
  }
}

/** Only namespaced objects have one; cluster-scoped ones are in no bucket. */
function namespaceOf(object: KubeObject): readonly string[] {
  return object.metadata.namespace ? [object.metadata.namespace] : [];
}

const NONE: readonly never[] = Object.freeze([]);

/**
 * Buckets of objects by value. Most buckets of most indexes (by owner, by node of a small cluster, by claim) hold one
 * object; those take no Map of their own, which would cost more than many a projected object.
 */
class Index<T extends KubeObject> {
  readonly valuesOf: IndexFunction<T>;
  readonly #buckets = new Map<string, T | Map<ObjectKey, T>>();

  readonly #onError: (error: unknown) => void;

  constructor(valuesOf: IndexFunction<T>, onError: (error: unknown) => void) {
    this.valuesOf = valuesOf;
    this.#onError = onError;
  }

  get(value: string): readonly T[] {
    const bucket = this.#buckets.get(value);
    if (bucket === undefined) return NONE;
    return bucket instanceof Map ? [...bucket.values()] : [bucket];
  }

  replace(key: ObjectKey, old: T | undefined, object: T | undefined): void {
    const before = old === undefined ? NONE : this.#values(old);
    const after = object === undefined ? NONE : this.#values(object);
    for (const value of before) if (!after.includes(value)) this.#remove(value, key);
    if (object !== undefined) for (const value of after) this.#put(value, key, old, object);
  }

  #values(object: T): readonly string[] {
    try {
      return this.valuesOf(object);
    } catch (error) {
      this.#onError(error);
      return NONE;
    }
  }

  #put(value: string, key: ObjectKey, old: T | undefined, object: T): void {
    const bucket = this.#buckets.get(value);
    if (bucket instanceof Map) bucket.set(key, object);
    else if (bucket === undefined || bucket === old) this.#buckets.set(value, object);
    else if (bucket !== object)
      this.#buckets.set(
        value,
        new Map([
          [keyOf(bucket), bucket],
          [key, object],
        ]),
      );
  }

  #remove(value: string, key: ObjectKey): void {
    const bucket = this.#buckets.get(value);
    if (!(bucket instanceof Map)) {
      this.#buckets.delete(value);
      return;
    }
    bucket.delete(key);
    if (bucket.size === 0) this.#buckets.delete(value);
  }
}
