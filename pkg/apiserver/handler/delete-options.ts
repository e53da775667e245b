import { ApiError } from '#pkg/api';
import { type JsonObject, listAt, objectAt, stringAt } from '../json.ts';
import { badRequest } from '../refusals.ts';
import { type FieldError, invalidStatus } from '../validation/index.ts';
import type { Call } from './call.ts';
import { parseBody } from './negotiate.ts';

export interface DeleteOptions {
  readonly gracePeriodSeconds?: number;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly orphanDependents?: boolean;
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
  readonly dryRun: boolean;
}

const POLICIES = ['Foreground', 'Background', 'Orphan'];

/** From the body where there is one, else from the query. */
export function parseDeleteOptions(call: Call): DeleteOptions {
  const { body, headers } = call.request;
  const given = body === undefined || body.length === 0 ? fromQuery(call.query) : parseBody(headers, body);
  return readDeleteOptions(given);
}

/** Reads a `DeleteOptions` object. */
export function readDeleteOptions(given: JsonObject): DeleteOptions {
  const kind = stringAt(given, 'kind');
  if (kind !== undefined && kind !== '' && kind !== 'DeleteOptions') {
    const version = stringAt(given, 'apiVersion') ?? '';
    throw badRequest(
      `no kind "${kind}" is registered for version "${version}" in scheme "pkg/apis/meta/internalversion/scheme/register.go:27"`,
    );
  }
  const policy = stringAt(given, 'propagationPolicy');
  const grace = given['gracePeriodSeconds'];
  const orphan = given['orphanDependents'];
  if (grace !== undefined && grace !== null && !Number.isInteger(grace)) {
    throw badRequest(
      'json: cannot unmarshal value into Go struct field DeleteOptions.gracePeriodSeconds of type int64',
    );
  }
  const dryRun = listAt(given, 'dryRun');
  const errors: FieldError[] = [];
  if (typeof orphan === 'boolean' && policy !== undefined) {
    errors.push({
      field: 'propagationPolicy',
      type: 'invalid',
      badValue: policy,
      detail: 'orphanDependents and deletionPropagation cannot be both set',
    });
  }
  if (policy !== undefined && !POLICIES.includes(policy)) {
    errors.push({
      field: 'propagationPolicy',
      type: 'notSupported',
      badValue: policy,
      detail: 'supported values: "Foreground", "Background", "Orphan", "nil"',
    });
  }
  if (dryRun.some((value) => value !== 'All'))
    errors.push({ field: 'dryRun', type: 'notSupported', badValue: dryRun, detail: 'supported values: "All"' });
  if (errors.length > 0) {
    throw new ApiError(invalidStatus({ group: 'meta.k8s.io', version: 'v1', kind: 'DeleteOptions' }, '', errors));
  }
  const uid = stringAt(objectAt(given, 'preconditions'), 'uid');
  const resourceVersion = stringAt(objectAt(given, 'preconditions'), 'resourceVersion');
  return {
    // Below zero counts as one second.
    ...(typeof grace === 'number' ? { gracePeriodSeconds: grace < 0 ? 1 : grace } : {}),
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
    ...(typeof orphan === 'boolean' ? { orphanDependents: orphan } : {}),
    ...(policy === undefined ? {} : { propagationPolicy: policy as 'Background' | 'Foreground' | 'Orphan' }),
    dryRun: dryRun.length > 0,
  };
}

function fromQuery(query: URLSearchParams): JsonObject {
  const given: JsonObject = {};
  const grace = query.get('gracePeriodSeconds');
  if (grace !== null && grace !== '') given['gracePeriodSeconds'] = Number(grace);
  const orphan = query.get('orphanDependents');
  if (orphan !== null && orphan !== '') given['orphanDependents'] = orphan === 'true' || orphan === '1';
  const policy = query.get('propagationPolicy');
  if (policy !== null && policy !== '') given['propagationPolicy'] = policy;
  if (query.has('dryRun')) given['dryRun'] = query.getAll('dryRun');
  return given;
}
