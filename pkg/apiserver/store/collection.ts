import type { JsonObject } from '../json.ts';
import type { Entry, StoreEvent } from './entry.ts';
import type { History } from './history.ts';
import { SortedKeys } from './sorted-keys.ts';
import { Watchers } from './watchers.ts';

/** Value under which an object is found besides its key: a Pod's node. Pure. */
export type IndexFunction = (object: Readonly<JsonObject>) => string | undefined;

/** All objects of one resource, with their history and their watchers. */
export class Collection {
  readonly keys = new SortedKeys();
  readonly history: History;
  readonly watchers = new Watchers();
  readonly #entries = new Map<string, Entry>();
  readonly #index: IndexFunction | undefined;
  readonly #byIndexed = new Map<string, Set<string>>();

  constructor(history: History, index?: IndexFunction) {
    this.history = history;
    this.#index = index;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): Entry | undefined {
    return this.#entries.get(key);
  }

  /** Keys under a value of the index, in list order. */
  keysUnder(value: string): readonly string[] {
    return [...(this.#byIndexed.get(value) ?? [])].sort();
  }

  /** Makes the event true and remembers it; returns what tells the watchers. */
  apply(event: StoreEvent): () => void {
    const { entry, previous } = event;
    const before = previous && this.#index?.(previous.object);
    const after = this.#index?.(entry.object);
    if (event.type === 'DELETED') {
      this.#entries.delete(entry.key);
      this.keys.remove(entry.key);
      if (before !== undefined) this.#unindex(before, entry.key);
    } else {
      this.#entries.set(entry.key, entry);
      if (previous === undefined) this.keys.insert(entry.key);
      if (before !== after) {
        if (before !== undefined) this.#unindex(before, entry.key);
        if (after !== undefined) this.#addToIndex(after, entry.key);
      }
    }
    this.history.push(event);
    return () => {
      this.watchers.dispatch(event, namespaceOf(entry.key), before, after);
      previous?.forgetJson();
      previous?.forgetFrames();
      entry.forgetFrames();
      if (event.type === 'DELETED') entry.forgetJson();
    };
  }

  #addToIndex(value: string, key: string): void {
    const keys = this.#byIndexed.get(value);
    if (keys === undefined) this.#byIndexed.set(value, new Set([key]));
    else keys.add(key);
  }

  #unindex(value: string, key: string): void {
    const keys = this.#byIndexed.get(value);
    keys?.delete(key);
    if (keys?.size === 0) this.#byIndexed.delete(value);
  }
}

export function namespaceOf(key: string): string {
  const slash = key.indexOf('/');
  return slash < 0 ? '' : key.slice(0, slash);
}
