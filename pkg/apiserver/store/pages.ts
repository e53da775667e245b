import { type Collection, namespaceOf } from './collection.ts';
import type { Entry, StoreEvent } from './entry.ts';

export interface PageQuery {
  readonly namespace?: string;
  /** One object only, by its whole key. */
  readonly key?: string;
  /** Only objects under this value of the resource's index. */
  readonly indexed?: string;
  /** Only keys above this one. */
  readonly startAfter?: string;
  /** At most so many matching objects; all where missing. */
  readonly limit?: number;
  /** The state as it was then; now where missing. */
  readonly revision?: number;
  readonly matches?: (entry: Entry) => boolean;
}

export interface Page {
  readonly entries: readonly Entry[];
  /** Key of the last entry, when there may be more. */
  readonly last?: string;
  /** Objects after the last, matching or not. */
  readonly remaining: number;
  /** The revision that the page shows. */
  readonly revision: number;
}

/** A page of a collection as it was before the events `since` happened. */
export function readPage(
  collection: Collection,
  query: PageQuery,
  since: readonly StoreEvent[],
): Omit<Page, 'revision'> {
  const past = rewind(since);
  const lookup = (key: string): Entry | undefined => (past.has(key) ? past.get(key) : collection.get(key));
  if (query.key !== undefined) return onlyOne(lookup(query.key), query);
  const keys =
    past.size > 0 || query.indexed !== undefined ? keysThen(collection, query, past) : keysNow(collection, query);
  const entries: Entry[] = [];
  const limit = query.limit ?? Number.POSITIVE_INFINITY;
  for (let i = 0; i < keys.count; i++) {
    const entry = lookup(keys.at(i));
    if (entry === undefined || (query.matches !== undefined && !query.matches(entry))) continue;
    entries.push(entry);
    if (entries.length >= limit && i + 1 < keys.count)
      return { entries, last: entry.key, remaining: keys.count - i - 1 };
  }
  return { entries, remaining: 0 };
}

function onlyOne(entry: Entry | undefined, query: PageQuery): Omit<Page, 'revision'> {
  const skip = entry === undefined || (query.startAfter !== undefined && entry.key <= query.startAfter);
  return { entries: skip || query.matches?.(entry) === false ? [] : [entry], remaining: 0 };
}

/** For every key touched by the events: its state before the first of them. */
function rewind(since: readonly StoreEvent[]): Map<string, Entry | undefined> {
  const past = new Map<string, Entry | undefined>();
  for (const event of since) if (!past.has(event.entry.key)) past.set(event.entry.key, event.previous);
  return past;
}

interface KeyList {
  readonly count: number;
  at(index: number): string;
}

function keysNow(collection: Collection, query: PageQuery): KeyList {
  const { keys } = collection;
  const { from, to } = keys.range(query.namespace);
  const start = Math.max(from, query.startAfter === undefined ? 0 : keys.lowerBound(`${query.startAfter}\0`));
  return { count: Math.max(to - start, 0), at: (index) => keys.at(start + index)! };
}

function keysThen(collection: Collection, query: PageQuery, past: ReadonlyMap<string, Entry | undefined>): KeyList {
  const found = new Set<string>();
  if (query.indexed !== undefined) {
    for (const key of collection.keysUnder(query.indexed)) found.add(key);
  } else {
    const { from, to } = collection.keys.range(query.namespace);
    for (let i = from; i < to; i++) found.add(collection.keys.at(i)!);
  }
  // Whether a past state belongs to the index is left to the query's own filter.
  for (const [key, entry] of past) {
    if (entry === undefined) found.delete(key);
    else found.add(key);
  }
  const keys = [...found].filter(
    (key) =>
      (query.namespace === undefined || namespaceOf(key) === query.namespace) &&
      (query.startAfter === undefined || key > query.startAfter),
  );
  keys.sort();
  return { count: keys.length, at: (index) => keys[index]! };
}
