import { type KubeObject, type ObjectKey, keyOf } from '#pkg/api';
import type { EventHandler } from '#pkg/cache';

/**
 * An event handler that rebuilds the collection from what it is told alone, and notes whatever does not fit: an object
 * added twice, an update from a state it was never told, a deletion of what it does not know.
 */
export class ReplicaHandler<T extends KubeObject = KubeObject> implements EventHandler<T> {
  readonly objects = new Map<ObjectKey, T>();
  /** What did not fit, in words. Empty at the end of a good test. */
  readonly faults: string[] = [];
  /** `add a/x@5`, `update a/x@5>6`, `delete a/x@7`, `lost a/x@6` (state unknown), in order. */
  readonly log: string[] = [];
  initial = 0;

  onAdd(object: T, isInInitialList: boolean): void {
    const key = keyOf(object);
    if (this.objects.has(key)) this.faults.push(`added twice: ${key}`);
    if (isInInitialList) this.initial++;
    this.objects.set(key, object);
    this.log.push(`add ${key}@${object.metadata.resourceVersion}`);
  }

  onUpdate(old: T, object: T): void {
    const key = keyOf(object);
    if (this.objects.get(key) !== old) this.faults.push(`updated from another state: ${key}`);
    if (old.metadata.uid !== object.metadata.uid) this.faults.push(`updated into another object: ${key}`);
    this.objects.set(key, object);
    this.log.push(`update ${key}@${old.metadata.resourceVersion}>${object.metadata.resourceVersion}`);
  }

  onDelete(object: T, finalStateUnknown: boolean): void {
    const key = keyOf(object);
    const known = this.objects.get(key);
    if (known?.metadata.uid !== object.metadata.uid) this.faults.push(`deleted what was not there: ${key}`);
    this.objects.delete(key);
    this.log.push(`${finalStateUnknown ? 'lost' : 'delete'} ${key}@${object.metadata.resourceVersion}`);
  }

  /** `key@version` of everything it holds, sorted. */
  versions(): string[] {
    return versionsOf(this.objects.values());
  }
}

/** `key@version` of every object, sorted: what a cache, a handler and a server are compared by. */
export function versionsOf(objects: Iterable<KubeObject>): string[] {
  return [...objects].map((object) => `${keyOf(object)}@${object.metadata.resourceVersion}`).toSorted();
}
