import { type JsonObject, ensureObject, listAt } from '../json.ts';
import { CLEANUP_FINALIZER } from './definition.ts';
import { setCondition } from './naming.ts';

/**
 * What the first request to delete a definition makes of it, in place: it waits for its objects to go
 * (`registry/customresourcedefinition/etcd.go`). Returns whether this was the first.
 */
export function beginRetirement(object: JsonObject, time: string): boolean {
  const metadata = ensureObject(object, 'metadata');
  if (metadata['deletionTimestamp'] !== undefined) return false;
  metadata['deletionTimestamp'] = time;
  const finalizers = listAt(metadata, 'finalizers');
  if (!finalizers.includes(CLEANUP_FINALIZER)) metadata['finalizers'] = [...finalizers, CLEANUP_FINALIZER];
  const message = 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon';
  setCondition(object, { type: 'Terminating', status: 'True', reason: 'InstanceDeletionPending', message }, time);
  return true;
}
