import { ownValue, setOwnValue } from '#pkg/base';
import { ApiError, compileSelector } from '#pkg/api';
import type { ApiResponse } from '../exchange.ts';
import { type JsonObject, cloneJson, ensureObject, isJsonObject, numberAt, objectAt, stringAt } from '../json.ts';
import { MODIFIED_MEANWHILE, badRequest, conflict, refusal } from '../refusals.ts';
import type { Resource } from '../registry/registry.ts';
import { builtInSemantics } from '../registry/semantics.ts';
import { schemaFor } from '../schema/index.ts';
import type { Entry } from '../store/index.ts';
import { invalidStatus } from '../validation/index.ts';
import type { Call } from './call.ts';
import { bodyOf } from './negotiate.ts';
import { type PatchTarget, patchKind, patched } from './patch.ts';
import { requireEntry } from './read.ts';
import { respondObject } from './respond.ts';
import { type WriteQuery, parseWriteQuery } from './write-options.ts';
import { checkType, updateObject } from './write.ts';

const SCALE = { group: 'autoscaling', version: 'v1', kind: 'Scale', apiVersion: 'autoscaling/v1' } as const;

/** The scale subresource: the number of replicas of anything that has one, in one shape. */
export function scale(call: Call): ApiResponse {
  const entry = requireEntry(call);
  switch (call.verb) {
    case 'get':
      return respondObject(call, scaleOf(call.resource, entry));
    case 'update': {
      const query = parseWriteQuery(call, 'UpdateOptions');
      const decoded = scaleTarget().semantics.decode(bodyOf(call.request.headers, call.request.body, SCALE.kind), {
        strict: query.fieldValidation,
      });
      call.warnings.push(...decoded.warnings);
      return store(call, entry, decoded.object, query);
    }
    default: {
      const kind = patchKind(call);
      if (kind === 'apply') throw refusal(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {});
      const query = parseWriteQuery(call, 'PatchOptions');
      return store(call, entry, patched(call, kind, scaleTarget(), scaleOf(call.resource, entry), query), query);
    }
  }
}

function scaleTarget(): PatchTarget {
  const schema = schemaFor(SCALE.group, SCALE.version, SCALE.kind);
  if (schema === undefined)
    throw refusal(500, 'InternalError', 'Internal error occurred: no schema of autoscaling/v1 Scale');
  return { schema, semantics: builtInSemantics(SCALE, schema) };
}

/** `metadata` is the object's own as far as it says which one it is. */
function scaleOf(resource: Resource, entry: Entry): JsonObject {
  const object = resource.conversion?.fromStored(entry.object) ?? entry.object;
  const metadata = objectAt(object, 'metadata');
  const kept = ['name', 'namespace', 'uid', 'resourceVersion', 'creationTimestamp'].map((field) => [
    field,
    ownValue(metadata, field),
  ]);
  const paths = resource.custom?.scale;
  const replicas = countAt(object, paths?.specReplicas ?? ['spec', 'replicas']);
  const current = countAt(object, paths?.statusReplicas ?? ['status', 'replicas']);
  const selector = paths === undefined ? selectorText(object) : textAt(object, paths.labelSelector);
  return {
    kind: SCALE.kind,
    apiVersion: SCALE.apiVersion,
    metadata: Object.fromEntries(kept.filter(([, value]) => value !== undefined)) as JsonObject,
    spec: replicas === 0 ? {} : { replicas },
    status: { replicas: current, ...(selector === '' ? {} : { selector }) },
  };
}

function valueAt(object: Readonly<JsonObject>, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, key) => (isJsonObject(value) ? ownValue(value, key) : undefined), object);
}

function countAt(object: Readonly<JsonObject>, path: readonly string[]): number {
  const value = valueAt(object, path);
  return typeof value === 'number' ? value : 0;
}

function textAt(object: Readonly<JsonObject>, path: readonly string[] | undefined): string {
  const value = path === undefined ? undefined : valueAt(object, path);
  return typeof value === 'string' ? value : '';
}

function selectorText(object: Readonly<JsonObject>): string {
  const selector = objectAt(object['spec'], 'selector');
  // A ReplicationController's selector is a plain map.
  return object['kind'] === 'ReplicationController'
    ? compileSelector({ matchLabels: (selector ?? {}) as Record<string, string> }).toString()
    : compileSelector(selector).toString();
}

function store(call: Call, entry: Entry, asked: JsonObject, query: WriteQuery): ApiResponse {
  checkType(asked, SCALE);
  const name = stringAt(asked['metadata'], 'name') ?? '';
  if (name !== call.name)
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${call.name})`);
  const revision = stringAt(asked['metadata'], 'resourceVersion') ?? '';
  if (revision !== '' && revision !== String(entry.revision)) throw conflict(call.resource, name, MODIFIED_MEANWHILE);
  const replicas = numberAt(asked['spec'], 'replicas') ?? 0;
  // Custom resources have rules of their own for it.
  if (replicas < 0 && call.resource.custom === undefined) {
    const detail = 'must be greater than or equal to 0';
    throw new ApiError(
      invalidStatus(SCALE, name, [{ field: 'spec.replicas', type: 'invalid', badValue: replicas, detail }]),
    );
  }
  const object = cloneJson<JsonObject>(call.resource.conversion?.fromStored(entry.object) ?? entry.object);
  const path = call.resource.custom?.scale?.specReplicas ?? ['spec', 'replicas'];
  const parent = path.slice(0, -1).reduce(ensureObject, object);
  setOwnValue(parent, path.at(-1)!, replicas);
  // The object itself changes, as by an ordinary update; who did it is remembered with the subresource.
  const scaled = updateObject({ ...call, subresource: 'scale' }, object, query);
  return respondObject(call, scaleOf(call.resource, scaled));
}
