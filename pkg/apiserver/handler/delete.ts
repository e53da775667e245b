import { formatTime, parseTime, parseJson } from '#pkg/base';
import { admitDelete } from '../admission/index.ts';
import { admin } from '../auth/users.ts';
import { DEFINITIONS, beginRetirement } from '../custom-resources/index.ts';
import type { ApiResponse } from '../exchange.ts';
import { type JsonObject, cloneJson, ensureObject, listAt, numberAt, objectAt, stringAt } from '../json.ts';
import { conflict, notFound } from '../refusals.ts';
import { Entry } from '../store/index.ts';
import type { Resource } from '../registry/registry.ts';
import { type Call, type Core, keyOf } from './call.ts';
import { type DeleteOptions, parseDeleteOptions } from './delete-options.ts';
import { parseListQuery } from './list-query.ts';
import { respondBytes, respondEntry, respondObject, viewOf } from './respond.ts';
import { garbagePolicy } from './rules.ts';
import { select } from './selection.ts';

const ORPHAN = 'orphan';
const FOREGROUND = 'foregroundDeletion';

export interface Deletion {
  /** Its last state, or the state in which it waits to go. */
  readonly entry: Entry;
  readonly gone: boolean;
}

export function remove(call: Call): ApiResponse {
  const options = parseDeleteOptions(call);
  const silent = options.propagationPolicy === undefined && options.orphanDependents === undefined;
  if (silent && call.resource.storage === 'jobs.batch') call.warnings.push(CHILD_PODS_STAY);
  const deletion = deleteObject(call, call.name!, options);
  if (!deletion.gone) return respondEntry(call, deletion.entry, options.orphanDependents === false ? 202 : 200);
  const { group, resource } = call.resource;
  const details = {
    name: call.name!,
    ...(group === '' ? {} : { group }),
    kind: resource,
    uid: stringAt(deletion.entry.object['metadata'], 'uid'),
  };
  if (RETURNS_OBJECT.has(call.resource.storage)) return respondEntry(call, deletion.entry);
  return respondObject(call, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details });
}

const CHILD_PODS_STAY =
  'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning';

/** Their registries answer with the object that was deleted (`ReturnDeletedObject`). */
const RETURNS_OBJECT = new Set([
  'namespaces',
  'persistentvolumeclaims',
  'persistentvolumes',
  'pods',
  'podtemplates',
  'resourcequotas',
  'serviceaccounts',
  'services',
  'csidrivers.storage.k8s.io',
  'csinodes.storage.k8s.io',
  'storageclasses.storage.k8s.io',
  'volumeattachments.storage.k8s.io',
  'volumeattributesclasses.storage.k8s.io',
  'deviceclasses.resource.k8s.io',
  'resourceclaims.resource.k8s.io',
  'resourceclaimtemplates.resource.k8s.io',
  'resourceslices.resource.k8s.io',
]);

export function removeCollection(call: Call): ApiResponse {
  const options = parseDeleteOptions(call);
  const query = parseListQuery(call.query);
  const selection = select(call.resource, {
    ...(call.namespace === undefined ? {} : { namespace: call.namespace }),
    labelSelector: query.labelSelector,
    fieldSelector: query.fieldSelector,
  });
  const { store } = call.core;
  const { entries, revision } = store.page(call.resource.storage, { ...selection.scope, matches: selection.matches });
  for (const entry of entries) {
    // The end of one may be the end of another.
    if (store.get(call.resource.storage, entry.key) === undefined) continue;
    const metadata = objectAt(entry.object, 'metadata');
    const namespace = stringAt(metadata, 'namespace');
    const each = namespace === undefined ? call : { ...call, namespace };
    deleteObject(each, stringAt(metadata, 'name')!, options);
  }
  const view = viewOf(call);
  const metadata = { ...view.listMetadata(), resourceVersion: String(revision) };
  if (call.output.as === 'Table') return respondBytes(call, Buffer.from(JSON.stringify(view.table(entries, metadata))));
  const items = entries.map((entry) => parseJson(view.encodeItem(entry).toString('utf8')) as JsonObject);
  return respondObject(call, { ...view.listType(), metadata, items });
}

/**
 * Deletes at once, or marks the object as going where something holds it: finalizers, a grace period, dependents
 * (`rest.BeforeDelete` and `Store.Delete` of `k8s.io/apiserver/pkg/registry`).
 */
export function deleteObject(call: Call, name: string, options: DeleteOptions): Deletion {
  const { store } = call.core;
  const { storage } = call.resource;
  const key = keyOf(call, name);
  const current = store.get(storage, key);
  if (current === undefined) throw notFound(call.resource, name);
  admitDelete(call.resource, name);
  checkPreconditions(call, current, options);
  const object = cloneJson<JsonObject>(current.object);
  const step = nextStep(call, object, options);
  if (step === 'wait') return { entry: current, gone: false };
  if (step === 'update') {
    if (options.dryRun) return { entry: new Entry(key, current.revision, object), gone: false };
    return { entry: store.update(storage, key, object, current.revision), gone: false };
  }
  if (step === 'delete')
    return { entry: options.dryRun ? current : store.delete(storage, key, current.revision), gone: true };
  if (options.dryRun) return { entry: new Entry(key, current.revision, object), gone: true };
  const marked = store.update(storage, key, object, current.revision);
  return { entry: store.delete(storage, key, marked.revision), gone: true };
}

function checkPreconditions(call: Call, current: Entry, options: DeleteOptions): void {
  const metadata = objectAt(current.object, 'metadata')!;
  const about = { group: call.resource.group, resource: call.resource.kind };
  const name = String(metadata['name']);
  if (options.uid !== undefined && options.uid !== metadata['uid']) {
    throw conflict(
      about,
      name,
      `the UID in the precondition (${options.uid}) does not match the UID in record (${String(metadata['uid'])}). The object might have been deleted and then recreated`,
    );
  }
  if (options.resourceVersion !== undefined && options.resourceVersion !== metadata['resourceVersion']) {
    throw conflict(
      about,
      name,
      `the ResourceVersion in the precondition (${options.resourceVersion}) does not match the ResourceVersion in record (${String(metadata['resourceVersion'])}). The object might have been modified`,
    );
  }
}

/** A Pod that may go at once is still marked first, which watchers see. */
type Step = 'delete' | 'mark and delete' | 'update' | 'wait';

/** Decides, and writes into `object` what an update would store. */
function nextStep(call: Call, object: JsonObject, options: DeleteOptions): Step {
  const { storage } = call.resource;
  if (storage === 'namespaces') return namespaceStep(call, object, options);
  if (storage === DEFINITIONS && beginRetirement(object, formatTime(call.core.clock.now()))) return 'update';
  const metadata = ensureObject(object, 'metadata');
  const grace = storage === 'pods' ? beginGrace(call, object, options) : 'none';
  if (grace === 'pending') return 'wait';
  const changed = setGarbageFinalizers(metadata, storage, options);
  const held = listAt(metadata, 'finalizers').length > 0;
  if (grace === 'begun')
    return held || Number(metadata['deletionGracePeriodSeconds']) > 0 ? 'update' : 'mark and delete';
  if (!held) return 'delete';
  return markDeleting(call, metadata) || changed ? 'update' : 'wait';
}

/** Deletes every object of a resource, as a request would; what something holds waits to go. */
export function deleteEverything(core: Core, resource: Resource): void {
  for (const entry of core.store.page(resource.storage, {}).entries) {
    // Another object's end may have ended this one.
    if (core.store.get(resource.storage, entry.key) !== undefined) deleteNamed(core, resource, entry);
  }
}

/** Deletes the object of the resource that has the name of `entry`, and its namespace, as a request would. */
export function deleteNamed(core: Core, resource: Resource, { object }: Entry): void {
  const request = { method: 'DELETE', path: '', headers: {} };
  const call: Call = {
    core,
    request,
    user: admin,
    verb: 'deletecollection',
    query: new URLSearchParams(),
    output: { yaml: false, pretty: false },
    resource,
    warnings: [],
  };
  const namespace = stringAt(object['metadata'], 'namespace');
  deleteObject(namespace === undefined ? call : { ...call, namespace }, stringAt(object['metadata'], 'name')!, {
    dryRun: false,
  });
}

/** A namespace goes when its content has gone, which is the namespace controller's to say. */
function namespaceStep(call: Call, object: JsonObject, options: DeleteOptions): Step {
  const metadata = ensureObject(object, 'metadata');
  if (metadata['deletionTimestamp'] === undefined) {
    metadata['deletionTimestamp'] = formatTime(call.core.clock.now());
    ensureObject(object, 'status')['phase'] = 'Terminating';
    setGarbageFinalizers(metadata, 'namespaces', options);
    return 'update';
  }
  if (listAt(object['spec'], 'finalizers').length > 0) return 'wait';
  return listAt(metadata, 'finalizers').length > 0 ? 'wait' : 'delete';
}

/** Sets the time of a Pod's end. Once set it can only come nearer. */
function beginGrace(call: Call, pod: JsonObject, options: DeleteOptions): 'none' | 'begun' | 'pending' {
  const metadata = ensureObject(pod, 'metadata');
  const now = call.core.clock.now();
  const asked = options.gracePeriodSeconds;
  const running = numberAt(metadata, 'deletionGracePeriodSeconds');
  if (metadata['deletionTimestamp'] !== undefined) {
    if (running === undefined || running === 0) return 'none';
    if (asked === undefined || asked >= running) return 'pending';
    const moved = parseTime(stringAt(metadata, 'deletionTimestamp')) - running * 1000 + asked * 1000;
    metadata['deletionTimestamp'] = formatTime(Math.max(moved, now));
    metadata['deletionGracePeriodSeconds'] = moved < now && asked !== 0 ? 1 : asked;
    return 'begun';
  }
  const period = gracePeriod(pod, asked);
  metadata['deletionTimestamp'] = formatTime(now + period * 1000);
  metadata['deletionGracePeriodSeconds'] = period;
  bumpGeneration(metadata);
  return 'begun';
}

/** No node, or nothing running: no reason to wait. */
function gracePeriod(pod: JsonObject, asked: number | undefined): number {
  const phase = stringAt(pod['status'], 'phase');
  if ((stringAt(pod['spec'], 'nodeName') ?? '') === '' || phase === 'Failed' || phase === 'Succeeded') return 0;
  return asked ?? numberAt(pod['spec'], 'terminationGracePeriodSeconds') ?? 0;
}

function bumpGeneration(metadata: JsonObject): void {
  const generation = numberAt(metadata, 'generation') ?? 0;
  if (generation > 0) metadata['generation'] = generation + 1;
}

/** Returns whether anything changed. */
function markDeleting(call: Call, metadata: JsonObject): boolean {
  if (metadata['deletionTimestamp'] !== undefined && metadata['deletionGracePeriodSeconds'] === 0) return false;
  if (metadata['deletionTimestamp'] === undefined) bumpGeneration(metadata);
  metadata['deletionTimestamp'] ??= formatTime(call.core.clock.now());
  metadata['deletionGracePeriodSeconds'] = 0;
  return true;
}

/** The garbage collector's orders to itself: wait for dependents, or let them go. Returns whether they changed. */
function setGarbageFinalizers(metadata: JsonObject, storage: string, options: DeleteOptions): boolean {
  const standing = garbagePolicy(storage);
  if (standing === 'unsupported') return false;
  const before = listAt(metadata, 'finalizers') as string[];
  const after = before.filter((finalizer) => finalizer !== ORPHAN && finalizer !== FOREGROUND);
  const wanted = garbageFinalizer(before, standing, options);
  if (wanted !== undefined) after.push(wanted);
  if (after.length === before.length && after.every((finalizer) => before.includes(finalizer))) return false;
  if (after.length === 0) delete metadata['finalizers'];
  else metadata['finalizers'] = after;
  return true;
}

function garbageFinalizer(
  present: readonly string[],
  standing: 'delete' | 'orphan',
  options: DeleteOptions,
): string | undefined {
  if (options.orphanDependents !== undefined) return options.orphanDependents ? ORPHAN : undefined;
  switch (options.propagationPolicy) {
    case 'Orphan':
      return ORPHAN;
    case 'Foreground':
      return FOREGROUND;
    case 'Background':
      return undefined;
    case undefined:
      break;
  }
  if (present.includes(ORPHAN)) return ORPHAN;
  if (present.includes(FOREGROUND)) return FOREGROUND;
  return standing === 'orphan' ? ORPHAN : undefined;
}
