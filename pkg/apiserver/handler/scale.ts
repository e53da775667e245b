import { ApiError, compileSelector } from '#pkg/api';
import { decodeObject } from '../decode/index.ts';
import type { ApiResponse } from '../exchange.ts';
import { type JsonObject, cloneJson, ensureObject, numberAt, objectAt, stringAt } from '../json.ts';
import { MODIFIED_MEANWHILE, badRequest, conflict, refusal } from '../refusals.ts';
import { schemaFor } from '../schema/index.ts';
import type { Entry } from '../store/index.ts';
import { invalidStatus } from '../validation/index.ts';
import type { Call } from './call.ts';
import { bodyOf } from './negotiate.ts';
import { patchKind, patched } from './patch.ts';
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
      return respondObject(call, scaleOf(entry));
    case 'update': {
      const query = parseWriteQuery(call, 'UpdateOptions');
      const decoded = decodeObject(scaleSchema(), bodyOf(call.request.headers, call.request.body, SCALE.kind), { strict: query.fieldValidation });
      call.warnings.push(...decoded.warnings);
      return store(call, entry, decoded.object, query);
    }
    default: {
      const kind = patchKind(call);
      if (kind === 'apply') throw refusal(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {});
      const query = parseWriteQuery(call, 'PatchOptions');
      return store(call, entry, patched(call, kind, scaleSchema(), scaleOf(entry), query), query);
    }
  }
}

function scaleSchema(): NonNullable<ReturnType<typeof schemaFor>> {
  const schema = schemaFor(SCALE.group, SCALE.version, SCALE.kind);
  if (schema === undefined) throw refusal(500, 'InternalError', 'Internal error occurred: no schema of autoscaling/v1 Scale');
  return schema;
}

/** `metadata` is the object's own as far as it says which one it is. */
function scaleOf(entry: Entry): JsonObject {
  const { object } = entry;
  const metadata = objectAt(object, 'metadata');
  const kept = ['name', 'namespace', 'uid', 'resourceVersion', 'creationTimestamp'].map((field) => [field, metadata?.[field]]);
  const replicas = numberAt(object['spec'], 'replicas') ?? 0;
  const selector = selectorText(object);
  return {
    kind: SCALE.kind,
    apiVersion: SCALE.apiVersion,
    metadata: Object.fromEntries(kept.filter(([, value]) => value !== undefined)) as JsonObject,
    spec: replicas === 0 ? {} : { replicas },
    status: { replicas: numberAt(object['status'], 'replicas') ?? 0, ...(selector === '' ? {} : { selector }) },
  };
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
  if (name !== call.name) throw badRequest(`the name of the object (${name}) does not match the name on the URL (${call.name})`);
  const revision = stringAt(asked['metadata'], 'resourceVersion') ?? '';
  if (revision !== '' && revision !== String(entry.revision)) throw conflict(call.resource, name, MODIFIED_MEANWHILE);
  const replicas = numberAt(asked['spec'], 'replicas') ?? 0;
  if (replicas < 0) {
    const detail = 'must be greater than or equal to 0';
    throw new ApiError(invalidStatus(SCALE, name, [{ field: 'spec.replicas', type: 'invalid', badValue: replicas, detail }]));
  }
  const object = cloneJson<JsonObject>(entry.object);
  ensureObject(object, 'spec')['replicas'] = replicas;
  // The object itself changes, as by an ordinary update; who did it is remembered with the subresource.
  const scaled = updateObject({ ...call, subresource: 'scale' }, object, query);
  return respondObject(call, scaleOf(scaled));
}
