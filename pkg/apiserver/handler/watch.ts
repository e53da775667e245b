import type { ApiResponse } from '../exchange.ts';
import { expired } from '../refusals.ts';
import { type Entry, type StoreEvent, StoreError } from '../store/index.ts';
import type { Call } from './call.ts';
import { type ListQuery, parseListQuery } from './list-query.ts';
import { parseRevision } from './read.ts';
import { viewOf, warningHeaders } from './respond.ts';
import { type Selection, select } from './selection.ts';
import type { View } from './view.ts';
import { WatchStream } from './watch-stream.ts';

/** A watch without a time-out of its own ends after this long and up to twice that, at random, so that not all end at once. */
const SHORTEST_WATCH = 1800_000;
/** A watch that takes bookmarks gets a last one this long before it ends. */
const FAREWELL = 2000;

export function watch(call: Call): ApiResponse {
  const query = parseListQuery(call.query, true);
  const selection = select(call.resource, {
    ...(call.namespace === undefined ? {} : { namespace: call.namespace }),
    ...(call.name === undefined ? {} : { name: call.name }),
    labelSelector: query.labelSelector,
    fieldSelector: query.fieldSelector,
  });
  const stream = new WatchStream();
  const view = viewOf(call);
  try {
    start(call, query, selection, view, stream);
  } catch (error) {
    stream.end();
    if (!(error instanceof StoreError) || error.code !== 'Expired') throw error;
    throw expired(`too old resource version: ${query.resourceVersion} (${error.data.oldest})`);
  }
  end(call, query, view, stream);
  return {
    status: 200,
    headers: {
      'content-type': 'application/json',
      'cache-control': 'no-cache, private',
      ...warningHeaders(call.warnings),
    },
    body: stream,
  };
}

function start(call: Call, query: ListQuery, selection: Selection, view: View, stream: WatchStream): void {
  const { store } = call.core;
  const { storage } = call.resource;
  const asked = parseRevision(query.resourceVersion);
  const initial = query.sendInitialEvents ?? (asked === undefined || asked === 0);
  let after = initial || asked === undefined || asked === 0 ? store.revision : asked;
  if (initial) {
    const matches = selection.all ? {} : { matches: selection.matches };
    const page = store.page(storage, { ...selection.scope, ...matches });
    for (const entry of page.entries) stream.push(view.frame('ADDED', entry));
    after = page.revision;
    if (query.sendInitialEvents && query.allowWatchBookmarks) stream.push(view.bookmark(page.revision, true));
  }
  const sink = sinkOf(selection, view, stream, initial ? 0 : after);
  stream.onEnd(store.watch(storage, selection.scope, Math.min(after, store.revision), sink));
}

/** Turns changes of the store into what this watcher sees: an object that stops matching is gone for it. */
function sinkOf(selection: Selection, view: View, stream: WatchStream, after: number): (event: StoreEvent) => void {
  const matches = (entry: Entry | undefined): boolean => entry !== undefined && selection.matches(entry);
  return (event) => {
    if (event.revision <= after) return;
    const { entry, previous } = event;
    if (event.type === 'DELETED') {
      if (matches(previous)) stream.push(view.sharedFrame('DELETED', entry));
    } else if (matches(entry)) {
      stream.push(view.sharedFrame(matches(previous) ? 'MODIFIED' : 'ADDED', entry));
    } else if (matches(previous)) {
      stream.push(view.sharedFarewell(previous!, entry));
    }
  };
}

function end(call: Call, query: ListQuery, view: View, stream: WatchStream): void {
  const { clock, random, store, bookmarks } = call.core;
  const time = query.timeoutSeconds === undefined ? SHORTEST_WATCH * (1 + random()) : query.timeoutSeconds * 1000;
  const bookmark = (): void => stream.push(view.bookmark(store.revision, false));
  const timer = clock.setTimeout(() => stream.end(), time);
  stream.onEnd(() => timer.cancel());
  if (query.allowWatchBookmarks) {
    stream.onEnd(bookmarks.add(bookmark));
    if (time > FAREWELL) {
      const farewell = clock.setTimeout(bookmark, time - FAREWELL);
      stream.onEnd(() => farewell.cancel());
    }
  }
  const { signal } = call.request;
  const leave = (): void => stream.end();
  signal?.addEventListener('abort', leave, { once: true });
  stream.onEnd(() => signal?.removeEventListener('abort', leave));
  if (signal?.aborted) stream.end();
  const ended = call.resource.custom?.ended;
  ended?.addEventListener('abort', leave, { once: true });
  stream.onEnd(() => ended?.removeEventListener('abort', leave));
}
