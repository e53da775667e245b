import { type Clock, type Random, formatTime, formatMicroTime } from '#pkg/base';
import { newUid } from '../handler/uid.ts';
import { type JsonObject, cloneJson, ensureObject, stringAt, objectAt } from '../json.ts';
import type { Entry, Store } from '../store/index.ts';

export interface World {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  /** Write Events as schedulers and kubelets do. */
  readonly events: boolean;
}

/**
 * Changes the object if it is there, in the state it is in now. `change` gets a copy and says by `false` that nothing is to
 * be written.
 */
export function modify(
  world: World,
  resource: string,
  key: string,
  change: (object: JsonObject) => boolean | void,
): Entry | undefined {
  const entry = world.store.get(resource, key);
  if (entry === undefined) return undefined;
  const object = cloneJson<JsonObject>(entry.object);
  if (change(object) === false) return entry;
  return world.store.update(resource, key, object, entry.revision);
}

/** What the scheduler and the kubelet tell about a Pod, shown by `kubectl describe`. */
export function recordEvent(
  world: World,
  pod: Readonly<JsonObject>,
  source: { component: string; host?: string },
  reason: string,
  message: string,
  type: 'Normal' | 'Warning' = 'Normal',
): void {
  if (!world.events) return;
  const now = world.clock.now();
  const metadata = objectAt(pod, 'metadata');
  const namespace = stringAt(metadata, 'namespace')!;
  const name = `${stringAt(metadata, 'name')}.${Math.floor(now * 1e6 + world.random() * 1e6).toString(16)}`;
  const scheduler = source.component === 'default-scheduler';
  const event = {
    kind: 'Event',
    apiVersion: 'v1',
    metadata: { name, namespace, uid: newUid(world.random), creationTimestamp: formatTime(now) },
    involvedObject: {
      kind: 'Pod',
      namespace,
      name: stringAt(metadata, 'name'),
      uid: stringAt(metadata, 'uid'),
      apiVersion: 'v1',
      resourceVersion: stringAt(metadata, 'resourceVersion'),
    },
    reason,
    message,
    source: scheduler ? {} : { ...source },
    firstTimestamp: scheduler ? null : formatTime(now),
    lastTimestamp: scheduler ? null : formatTime(now),
    ...(scheduler ? { eventTime: formatMicroTime(now), action: 'Binding' } : { count: 1, eventTime: null }),
    type,
    reportingComponent: source.component,
    reportingInstance: source.host ?? `${source.component}-simulated`,
  };
  if (world.store.get('events', `${namespace}/${name}`) === undefined)
    world.store.create('events', `${namespace}/${name}`, event);
}

export function statusOf(object: JsonObject): JsonObject {
  return ensureObject(object, 'status');
}
