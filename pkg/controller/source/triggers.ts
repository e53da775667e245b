import { type KubeObject, type ObjectKey, type ResourceType, keyOf } from '#pkg/api';
import type { EventHandler, HandlerRegistration, InformerFactory } from '#pkg/cache';

/** A key to reconcile: at once, or after some milliseconds. */
export type Enqueue = ObjectKey | { readonly key: ObjectKey; readonly after: number };

/**
 * From a change of one object to the keys it concerns. What every controller would have to get right is done before
 * these are called: a deletion comes as the object's last known state, whether it was seen or missed; an object replaced
 * by another of its name comes as a deletion and an addition (both by the informer); an update that changed nothing, a
 * periodic resync, is dropped unless asked for.
 */
export interface ChangeHandlers<T extends KubeObject> {
  /** `isInInitialList`: it was there before anyone looked, and is no news. */
  add?(object: T, isInInitialList?: boolean): readonly Enqueue[];
  update?(old: T, current: T): readonly Enqueue[];
  delete?(object: T): readonly Enqueue[];
}

export interface TriggerOptions {
  /** Deliver updates of periodic resyncs too. For the reconciled object itself: a safety net against lost work. */
  readonly resync?: boolean;
  /** With `resync`: how often, ms; the factory's period where missing. */
  readonly resyncPeriod?: number;
}

export interface Attached extends HandlerRegistration {
  /** Resolves once the cache holds a whole list; the handler may hear of it a little later. */
  whenSynced(signal: AbortSignal): Promise<void>;
}

export interface AttachOptions {
  readonly informers: Pick<InformerFactory, 'informer'>;
  /** Names the handler in the informer's logs and metrics. */
  readonly name: string;
  readonly enqueue: (item: Enqueue) => void;
}

/** One resource to watch, and what its changes mean, whatever the type of its objects. */
export interface AnyTrigger {
  readonly resource: ResourceType;
  /** Adds the handler to the resource's informer; `enqueue` is given every key. */
  attach(options: AttachOptions): Attached;
}

/** Made by {@link on}, {@link forObject} or `ownedBy`. */
export interface Trigger<T extends KubeObject> extends AnyTrigger {
  readonly resource: ResourceType<T>;
  readonly handlers: ChangeHandlers<T>;
  readonly options: TriggerOptions;
}

/** Changes of `resource` enqueue what the handlers answer. */
export function on<T extends KubeObject>(
  resource: ResourceType<T>,
  handlers: ChangeHandlers<T>,
  options: TriggerOptions = {},
): Trigger<T> {
  return {
    resource,
    handlers,
    options,
    attach({ informers, name, enqueue }) {
      const { resync = false, resyncPeriod } = options;
      const informer = informers.informer(resource);
      const handler = eventHandlerOf(handlers, resync, enqueue);
      const registration = informer.addEventHandler(handler, {
        name,
        ...(resync ? { resyncPeriod } : { resyncPeriod: 0 }),
      });
      return {
        hasSynced: () => registration.hasSynced(),
        remove: () => registration.remove(),
        whenSynced: (signal) => informer.whenSynced(signal),
      };
    },
  };
}

/** Every change of an object, resyncs included, enqueues its own key. `onDelete` first forgets what was kept for it. */
export function forObject<T extends KubeObject>(
  resource: ResourceType<T>,
  { onDelete }: { readonly onDelete?: (object: T) => void } = {},
): Trigger<T> {
  return on<T>(
    resource,
    {
      add: (object) => [keyOf(object)],
      update: (_old, current) => [keyOf(current)],
      delete: (object) => {
        onDelete?.(object);
        return [keyOf(object)];
      },
    },
    { resync: true },
  );
}

/** The informer's handler that stands for `handlers`: the rules of {@link ChangeHandlers}, once for everyone. */
function eventHandlerOf<T extends KubeObject>(
  handlers: ChangeHandlers<T>,
  resync: boolean,
  enqueue: (item: Enqueue) => void,
): EventHandler<T> {
  const all = (items: readonly Enqueue[] | undefined): void => items?.forEach(enqueue);
  return {
    onAdd: (object, isInInitialList) => all(handlers.add?.(object, isInInitialList)),
    onUpdate(old, current) {
      if (resync || old.metadata.resourceVersion !== current.metadata.resourceVersion)
        all(handlers.update?.(old, current));
    },
    onDelete: (object) => all(handlers.delete?.(object)),
  };
}
