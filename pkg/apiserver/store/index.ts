export type { IndexFunction } from './collection.ts';
export { Entry, type StoreEvent, type StoreEventType, atRevision } from './entry.ts';
export type { Page, PageQuery } from './pages.ts';
export {
  type ResourceName,
  type Store,
  StoreError,
  type StoreErrorCode,
  type StoreOptions,
  createStore,
} from './store.ts';
export type { Sink, WatchScope } from './watchers.ts';
