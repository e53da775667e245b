import { ownValue } from '#pkg/base';
import { ApiError } from '#pkg/api';
import type { Random } from '#pkg/base';
import { type JsonObject, ensureObject, listAt, objectAt, objectsAt, stringAt } from '../json.ts';
import type { Resource } from '../registry/registry.ts';
import type { Store } from '../store/index.ts';
import { invalidStatus } from '../validation/index.ts';
import { admitPod } from './pods.ts';
import { clashesOf } from './service-clashes.ts';
import { allocateService } from './services.ts';

export { admitCreateInNamespace, admitDelete } from './namespace-lifecycle.ts';

export interface AdmissionContext {
  readonly store: Store;
  readonly random: Random;
}

type Admit = (context: AdmissionContext, object: JsonObject) => void;

const onCreate: Readonly<Record<string, Admit>> = {
  pods: ({ store }, pod) => admitPod(store, pod),
  // Protected from going while in use (`plugin/pkg/admission/storage/storageobjectinuseprotection`).
  persistentvolumeclaims: ({ store }, claim) => {
    addFinalizer(claim, 'kubernetes.io/pvc-protection');
    chooseStorageClass(store, claim);
  },
  persistentvolumes: (_, volume) => addFinalizer(volume, 'kubernetes.io/pv-protection'),
  // Nothing is scheduled on a node before it says it is ready (`plugin/pkg/admission/nodetaint`).
  nodes: (_, node) => addTaint(node, 'node.kubernetes.io/not-ready', 'NoSchedule'),
};

/** What the admission plugins that are on by default change in a new object; in place. */
export function admitCreate(context: AdmissionContext, resource: Resource, object: JsonObject): void {
  ownValue(onCreate, resource.storage)?.(context, object);
}

/** What the registry itself fills in when an object is written, after the request's own fields are known. */
export function allocate(
  context: AdmissionContext,
  resource: Resource,
  object: JsonObject,
  old?: Readonly<JsonObject>,
): void {
  if (resource.storage !== 'services') return;
  const clashes = clashesOf(context.store, object, old);
  if (clashes.length > 0)
    throw new ApiError(invalidStatus(resource, stringAt(object['metadata'], 'name') ?? '', clashes));
  allocateService(context.store, context.random, object, old);
}

function addFinalizer(object: JsonObject, finalizer: string): void {
  const metadata = ensureObject(object, 'metadata');
  const finalizers = listAt(metadata, 'finalizers');
  if (!finalizers.includes(finalizer)) metadata['finalizers'] = [...finalizers, finalizer];
}

function addTaint(node: JsonObject, key: string, effect: string): void {
  const spec = ensureObject(node, 'spec');
  const taints = objectsAt(spec, 'taints');
  if (!taints.some((taint) => taint['key'] === key && taint['effect'] === effect))
    spec['taints'] = [...taints, { key, effect }];
}

const DEFAULT_CLASS = 'storageclass.kubernetes.io/is-default-class';

/** `plugin/pkg/admission/storage/storageclass/setdefault`: the newest of the default classes. */
function chooseStorageClass(store: Store, claim: JsonObject): void {
  const spec = ensureObject(claim, 'spec');
  if (spec['storageClassName'] !== undefined) return;
  const classes = store.page('storageclasses.storage.k8s.io', {}).entries.filter(({ object }) => {
    return objectAt(objectAt(object, 'metadata'), 'annotations')?.[DEFAULT_CLASS] === 'true';
  });
  const newest = classes.toSorted(
    (a, b) => created(b.object).localeCompare(created(a.object)) || a.key.localeCompare(b.key),
  )[0];
  if (newest !== undefined) spec['storageClassName'] = newest.key;
}

function created(object: Readonly<JsonObject>): string {
  return String((object['metadata'] as JsonObject)['creationTimestamp']);
}
