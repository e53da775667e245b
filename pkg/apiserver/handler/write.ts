import { ApiError } from '#pkg/api';
import { formatTime, randomNameSuffix, semanticEqual } from '#pkg/base';
import { admitCreate, admitCreateInNamespace, allocate } from '../admission/index.ts';
import type { ApiResponse } from '../exchange.ts';
import { type JsonObject, cloneJson, ensureObject, listAt, stringAt } from '../json.ts';
import { trackUpdate } from '../managed-fields/index.ts';
import {
  MODIFIED_MEANWHILE,
  alreadyExists,
  badRequest,
  conflict,
  forbidden,
  methodNotAllowedHere,
  notFound,
  refusal,
} from '../refusals.ts';
import { Entry } from '../store/index.ts';
import type { Resource } from '../registry/registry.ts';
import type { PrepareContext } from '../strategies/index.ts';
import { schemaFor } from '../schema/index.ts';
import { type FieldError, endpointsWarnings, invalidStatus } from '../validation/index.ts';
import { type Call, keyOf } from './call.ts';
import { bodyOf } from './negotiate.ts';
import { respondEntry } from './respond.ts';
import { allowsCreateOnUpdate, allowsUnconditionalUpdate } from './rules.ts';
import { newUid } from './uid.ts';
import { withType } from './view.ts';
import { type WriteQuery, parseWriteQuery } from './write-options.ts';

/** How often a generated name that is taken is tried anew. */
const NAME_ATTEMPTS = 8;
/** Room for the suffix of a generated name. */
const LONGEST_BASE = 58;
const DEFINITION_TERMINATING = 'create not allowed while custom resource definition is terminating';

export function create(call: Call): ApiResponse {
  const query = parseWriteQuery(call, 'CreateOptions');
  const object = decodeBody(call, query);
  return respondEntry(call, createObject(call, object, query), 201);
}

export function update(call: Call): ApiResponse {
  const query = parseWriteQuery(call, 'UpdateOptions');
  const object = decodeBody(call, query);
  const name = stringAt(object['metadata'], 'name') ?? '';
  if (name !== '' && name !== call.name) {
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${call.name})`);
  }
  if (name === '')
    throw badRequest(`the name of the object (${call.name} based on URL) was undeterminable: name must be provided`);
  matchNamespace(call, object);
  const stored = call.core.store.get(call.resource.storage, keyOf(call, name));
  if (stored === undefined && call.subresource === undefined && allowsCreateOnUpdate(call.resource.storage)) {
    return respondEntry(call, createObject(call, object, query), 201);
  }
  return respondEntry(call, updateObject(call, object, query));
}

/** The body as an object of the call's resource, checked against its schema. */
export function decodeBody(call: Call, query: WriteQuery): JsonObject {
  const { resource } = call;
  const decoded = resource.semantics.decode(bodyOf(call.request.headers, call.request.body, resource.kind), {
    strict: query.fieldValidation,
  });
  call.warnings.push(...decoded.warnings);
  checkType(decoded.object, resource);
  return decoded.object;
}

interface ExpectedType {
  readonly group: string;
  readonly kind: string;
  readonly apiVersion: string;
  readonly custom?: object;
}

/** Refuses an object of another kind or version; says kind and version where the object does not. */
export function checkType(object: JsonObject, expected: ExpectedType): void {
  // What a custom resource says of itself is for its own rules.
  if (expected.custom !== undefined) return;
  const kind = stringAt(object, 'kind') || expected.kind;
  const apiVersion = stringAt(object, 'apiVersion') || expected.apiVersion;
  object['kind'] = kind;
  object['apiVersion'] = apiVersion;
  if (kind === expected.kind && apiVersion === expected.apiVersion) return;
  const [version = '', group = ''] = apiVersion.split('/').toReversed();
  const why =
    schemaFor(group, version, kind) === undefined
      ? `no kind "${kind}" is registered for version "${apiVersion}" in scheme "pkg/api/legacyscheme/scheme.go:30"`
      : `converting (${version}.${kind}) to (${expected.group.split('.', 1)[0] || 'core'}.${expected.kind}): unknown conversion`;
  throw badRequest(`${kind} in version "${apiVersion}" cannot be handled as a ${expected.kind}: ${why}`);
}

function matchNamespace(call: Call, object: JsonObject): void {
  const metadata = ensureObject(object, 'metadata');
  const given = stringAt(metadata, 'namespace') ?? '';
  const expected = call.resource.namespaced ? (call.namespace ?? '') : '';
  if (given !== '' && given !== expected) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  if (expected === '') delete metadata['namespace'];
  else metadata['namespace'] = expected;
}

/** Stores a decoded object that is new. `applied`: its managed fields are known already, from server-side apply. */
export function createObject(call: Call, object: JsonObject, query: WriteQuery, applied = false): Entry {
  const { core, resource } = call;
  if (resource.namespaced && call.namespace === undefined) throw methodNotAllowedHere();
  const metadata = ensureObject(object, 'metadata');
  if ((metadata['resourceVersion'] ?? '') !== '')
    throw refusal(500, '', 'resourceVersion should not be set on objects to be created');
  matchNamespace(call, object);
  if (resource.custom?.terminating) throw forbidden(resource, stringAt(metadata, 'name') ?? '', DEFINITION_TERMINATING);
  if (call.namespace !== undefined) {
    admitCreateInNamespace(core.store, resource, call.namespace, stringAt(metadata, 'name') ?? '');
  }
  resource.semantics.applyDefaults(object);
  const generated = (stringAt(metadata, 'name') ?? '') === '' && (stringAt(metadata, 'generateName') ?? '') !== '';
  fillSystemFields(call, metadata);
  admitCreate(core, resource, object);
  if (!applied) trackCreate(call, object, query);
  if (generated) metadata['name'] = freeName(call, String(metadata['generateName']));
  resource.semantics.prepareForCreate(object, prepareContext(call));
  refuseInvalid(asNamed(resource, object), stringAt(metadata, 'name') ?? '', resource.semantics.validateCreate(object));
  warnOf(call, object);
  call.warnings.push(...(resource.semantics.warningsFor?.(object) ?? []));
  allocate(core, resource, object);
  const stored = toStored(call, object);
  const key = keyOf(call, String(metadata['name']));
  if (core.store.get(resource.storage, key) !== undefined) throw alreadyExists(resource, String(metadata['name']));
  return query.dryRun ? new Entry(key, core.store.revision, stored) : core.store.create(resource.storage, key, stored);
}

/** What is allowed, and yet not as it should be. */
function warnOf({ resource, warnings }: Call, object: JsonObject): void {
  if (resource.storage === 'endpoints') warnings.push(...endpointsWarnings(object));
}

function fillSystemFields(call: Call, metadata: JsonObject): void {
  metadata['uid'] = newUid(call.core.random);
  metadata['creationTimestamp'] = formatTime(call.core.clock.now());
  for (const field of ['deletionTimestamp', 'deletionGracePeriodSeconds', 'selfLink', 'resourceVersion'])
    delete metadata[field];
}

function freeName(call: Call, base: string): string {
  let name = '';
  for (let attempt = 0; attempt < NAME_ATTEMPTS; attempt++) {
    name = base.slice(0, LONGEST_BASE) + randomNameSuffix(call.core.random);
    if (call.core.store.get(call.resource.storage, keyOf(call, name)) === undefined) break;
  }
  return name;
}

/** A new object's status is not the creator's to set, so no one owns it. */
function trackCreate(call: Call, object: JsonObject, query: WriteQuery): void {
  const { schema } = call.resource;
  const { status: _status, ...rest } = object;
  const owned = call.resource.subresources.some(({ name }) => name === 'status') ? rest : object;
  setManagedFields(
    object,
    trackUpdate({ schema, object: owned, manager: query.fieldManager, time: formatTime(call.core.clock.now()) }),
  );
}

function setManagedFields(object: JsonObject, managedFields: readonly unknown[]): void {
  const metadata = ensureObject(object, 'metadata');
  if (managedFields.length === 0) delete metadata['managedFields'];
  else metadata['managedFields'] = managedFields;
}

/**
 * Stores a decoded object in place of the one that is there. Nothing is written when nothing changes. The last finalizer
 * taken off an object that is being deleted ends it.
 */
export function updateObject(call: Call, object: JsonObject, query: WriteQuery, applied = false): Entry {
  const { core, resource } = call;
  // Scaling is an ordinary update of the spec in another dress.
  const subresource = call.subresource === 'scale' ? undefined : call.subresource;
  const name = call.name!;
  const key = keyOf(call, name);
  const current = core.store.get(resource.storage, key);
  if (current === undefined) throw notFound(resource, name);
  const old = cloneJson<JsonObject>(resource.conversion?.fromStored(current.object) ?? current.object);
  checkPreconditions(call, object, old, current);
  keepSystemFields(object, old);
  resource.semantics.applyDefaults(object);
  resource.semantics.prepareForUpdate(object, old, subresource, prepareContext(call));
  if (subresource === undefined) allocate(core, resource, object, old);
  refuseInvalid(asNamed(resource, object), name, resource.semantics.validateUpdate(object, old, subresource));
  if (subresource === undefined) call.warnings.push(...(resource.semantics.warningsFor?.(object, old) ?? []));
  warnOf(call, object);
  if (!applied) trackChange(call, object, old, query);
  ensureObject(object, 'metadata')['resourceVersion'] = String(current.revision);
  const stored = toStored(call, object);
  if (isUnchanged(stored, current.object)) return current;
  if (endsByUpdate(stored)) {
    if (!query.dryRun) core.store.delete(resource.storage, key, current.revision);
    return new Entry(key, current.revision, stored);
  }
  if (query.dryRun) return new Entry(key, current.revision, stored);
  return core.store.update(resource.storage, key, stored, current.revision);
}

function checkPreconditions(call: Call, object: JsonObject, old: JsonObject, current: Entry): void {
  const { resource } = call;
  const name = call.name!;
  const metadata = ensureObject(object, 'metadata');
  const uid = stringAt(metadata, 'uid') ?? '';
  const actual = stringAt(old['metadata'], 'uid');
  // A patch that changes the uid is invalid; a whole object with another uid is meant for another object.
  if (uid !== '' && uid !== actual && call.verb === 'update') {
    const place = resource.custom === undefined ? resource.resource : `${resource.group}/${resource.resource}`;
    const stored = `Key: /registry/${place}/${current.key}, ResourceVersion: 0`;
    const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${actual}`;
    throw conflict(resource, name, `StorageError: invalid object, Code: 4, ${stored}, AdditionalErrorMsg: ${why}`);
  }
  const revision = stringAt(metadata, 'resourceVersion') ?? '';
  if (revision === '' || revision === '0') {
    if (resource.custom === undefined && allowsUnconditionalUpdate(resource.storage)) return;
    const kind = { group: resource.group, version: resource.version, kind: resource.resource };
    const error: FieldError = {
      field: 'metadata.resourceVersion',
      type: 'invalid',
      badValue: 0,
      detail: 'must be specified for an update',
    };
    throw new ApiError(invalidStatus(kind, name, [error]));
  }
  if (revision !== String(current.revision)) throw conflict(resource, name, MODIFIED_MEANWHILE);
}

function prepareContext({ core, user }: Call): PrepareContext {
  const { name, uid, groups, extra } = user;
  const info = {
    username: name,
    groups: [...groups],
    ...(uid === undefined ? {} : { uid }),
    ...(extra === undefined ? {} : { extra }),
  };
  return { time: formatTime(core.clock.now()), user: info };
}

/** What no request can change (`rest.BeforeUpdate`). */
function keepSystemFields(object: JsonObject, old: JsonObject): void {
  const metadata = ensureObject(object, 'metadata');
  const before = ensureObject(old, 'metadata');
  metadata['uid'] ||= before['uid'];
  metadata['creationTimestamp'] = before['creationTimestamp'];
  if (before['deletionTimestamp'] === undefined) delete metadata['deletionTimestamp'];
  else metadata['deletionTimestamp'] = before['deletionTimestamp'];
  if (before['deletionGracePeriodSeconds'] !== undefined)
    metadata['deletionGracePeriodSeconds'] ??= before['deletionGracePeriodSeconds'];
  delete metadata['selfLink'];
}

function trackChange(call: Call, object: JsonObject, old: JsonObject, query: WriteQuery): void {
  const managedFields = trackUpdate({
    schema: call.resource.schema,
    live: old,
    object,
    manager: query.fieldManager,
    ...(call.subresource === undefined ? {} : { subresource: call.subresource }),
    time: formatTime(call.core.clock.now()),
  });
  setManagedFields(object, managedFields);
}

/** Equal but for the times of managed fields, which alone are no reason to write. */
function isUnchanged(object: JsonObject, old: Readonly<JsonObject>): boolean {
  return semanticEqual(withoutTimes(object), withoutTimes(old));
}

function withoutTimes(object: Readonly<JsonObject>): JsonObject {
  const metadata = object['metadata'] as JsonObject;
  const entries = listAt(metadata, 'managedFields');
  if (entries.length === 0) return object;
  const managedFields = (entries as JsonObject[]).map((entry) => ({ ...entry, time: undefined }));
  return { ...object, metadata: { ...metadata, managedFields } };
}

/** Nothing holds the object any more (`ShouldDeleteDuringUpdate`). */
function endsByUpdate(object: JsonObject): boolean {
  const metadata = object['metadata'] as JsonObject;
  if (metadata['deletionTimestamp'] === undefined || listAt(metadata, 'finalizers').length > 0) return false;
  if (object['kind'] === 'Namespace' && listAt(object['spec'], 'finalizers').length > 0) return false;
  // A Pod within its grace period waits for its node.
  return Number(metadata['deletionGracePeriodSeconds'] ?? 0) === 0;
}

/** A custom resource is refused under the kind that it says it is of. */
function asNamed(resource: Resource, object: JsonObject): Pick<Resource, 'group' | 'version' | 'kind'> {
  return resource.custom === undefined ? resource : { ...resource, kind: stringAt(object, 'kind') ?? resource.kind };
}

export function refuseInvalid(
  resource: { group: string; version: string; kind: string },
  name: string,
  errors: readonly FieldError[],
): void {
  if (errors.length > 0) throw new ApiError(invalidStatus(resource, name, errors));
}

function toStored(call: Call, object: JsonObject): JsonObject {
  const { kind, apiVersion, conversion } = call.resource;
  if (conversion === undefined) return withType(object, kind, apiVersion);
  const stored = conversion.toStored(withType(object, kind, apiVersion));
  return withType(stored, String(stored['kind']), String(stored['apiVersion']));
}
