import type { StoreEvent } from './entry.ts';

/** Which changes of a resource a watcher is told; the narrowest part that is given decides where it is indexed. */
export interface WatchScope {
  readonly namespace?: string;
  /** Whole key of one object. */
  readonly key?: string;
  /** Value of the resource's declared index, before or after the change. */
  readonly indexed?: string;
}

export type Sink = (event: StoreEvent) => void;

/** The watchers of one resource, found by what they watch, so that an event costs only those it concerns. */
export class Watchers {
  readonly #everything = new Set<Sink>();
  readonly #byNamespace = new Map<string, Set<Sink>>();
  readonly #byKey = new Map<string, Set<Sink>>();
  readonly #byIndexed = new Map<string, Set<Sink>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Returns what removes the watcher again; calling it twice does nothing. */
  add(scope: WatchScope, sink: Sink): () => void {
    const remove = this.#place(scope, sink);
    this.#size++;
    let present = true;
    return () => {
      if (!present) return;
      present = false;
      this.#size--;
      remove();
    };
  }

  dispatch(event: StoreEvent, namespace: string, before: string | undefined, after: string | undefined): void {
    if (this.#size === 0) return;
    tell(this.#everything, event);
    tell(this.#byNamespace.get(namespace), event);
    tell(this.#byKey.get(event.entry.key), event);
    if (after !== undefined) tell(this.#byIndexed.get(after), event);
    if (before !== undefined && before !== after) tell(this.#byIndexed.get(before), event);
  }

  #place(scope: WatchScope, sink: Sink): () => void {
    if (scope.key !== undefined) return placeIn(this.#byKey, scope.key, sink);
    if (scope.indexed !== undefined) return placeIn(this.#byIndexed, scope.indexed, sink);
    if (scope.namespace !== undefined) return placeIn(this.#byNamespace, scope.namespace, sink);
    this.#everything.add(sink);
    return () => this.#everything.delete(sink);
  }
}

function placeIn(index: Map<string, Set<Sink>>, value: string, sink: Sink): () => void {
  let sinks = index.get(value);
  if (sinks === undefined) {
    sinks = new Set();
    index.set(value, sinks);
  }
  const found = sinks;
  found.add(sink);
  return () => {
    found.delete(sink);
    if (found.size === 0) index.delete(value);
  };
}

function tell(sinks: Set<Sink> | undefined, event: StoreEvent): void {
  if (sinks === undefined) return;
  for (const sink of sinks) sink(event);
}
