import { type FieldError, invalidStatus } from '../validation/index.ts';
import { ApiError } from '#pkg/api';
import { badRequest } from '../refusals.ts';
import { isTrue } from './request-info.ts';

/** The query of a list or watch (`metav1.ListOptions`). */
export interface ListQuery {
  readonly labelSelector: string;
  readonly fieldSelector: string;
  /** At least 1. */
  readonly limit?: number;
  readonly continue: string | null;
  readonly resourceVersion: string;
  readonly resourceVersionMatch: string;
  readonly sendInitialEvents?: boolean;
  readonly allowWatchBookmarks: boolean;
  readonly timeoutSeconds?: number;
}

/** Reads and checks it (`k8s.io/apimachinery/pkg/apis/meta/internalversion/validation`). */
export function parseListQuery(query: URLSearchParams, watch = false): ListQuery {
  const limit = parseInteger(query, 'limit');
  const timeoutSeconds = parseInteger(query, 'timeoutSeconds');
  const parsed: ListQuery = {
    labelSelector: query.get('labelSelector') ?? '',
    fieldSelector: query.get('fieldSelector') ?? '',
    ...(limit === undefined || limit <= 0 ? {} : { limit }),
    continue: query.get('continue'),
    resourceVersion: query.get('resourceVersion') ?? '',
    resourceVersionMatch: query.get('resourceVersionMatch') ?? '',
    ...(query.has('sendInitialEvents') ? { sendInitialEvents: isTrue(query.get('sendInitialEvents')) } : {}),
    allowWatchBookmarks: isTrue(query.get('allowWatchBookmarks')),
    ...(timeoutSeconds === undefined || timeoutSeconds <= 0 ? {} : { timeoutSeconds }),
  };
  const errors = watch ? watchErrors(parsed) : listErrors(parsed);
  if (errors.length > 0) {
    throw new ApiError(invalidStatus({ group: 'meta.k8s.io', version: 'v1', kind: 'ListOptions' }, '', errors));
  }
  return parsed;
}

function parseInteger(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  if (!/^-?\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing "${text}": invalid syntax`);
  return Number(text);
}

const MATCH = 'resourceVersionMatch';

function forbidden(field: string, detail: string): FieldError {
  return { field, type: 'forbidden', detail };
}

function listErrors(query: ListQuery): FieldError[] {
  const errors: FieldError[] = [];
  const match = query.resourceVersionMatch;
  if (match !== '') {
    if (query.resourceVersion === '')
      errors.push(forbidden(MATCH, 'resourceVersionMatch is forbidden unless resourceVersion is provided'));
    if (query.continue) errors.push(forbidden(MATCH, 'resourceVersionMatch is forbidden when continue is provided'));
    if (match !== 'Exact' && match !== 'NotOlderThan') {
      errors.push({
        field: MATCH,
        type: 'notSupported',
        badValue: match,
        detail: 'supported values: "Exact", "NotOlderThan", ""',
      });
    }
    if (match === 'Exact' && query.resourceVersion === '0') {
      errors.push(forbidden(MATCH, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'));
    }
  }
  if (query.sendInitialEvents !== undefined)
    errors.push(forbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list'));
  return errors;
}

function watchErrors(query: ListQuery): FieldError[] {
  const errors: FieldError[] = [];
  const match = query.resourceVersionMatch;
  if (query.sendInitialEvents !== undefined && match !== 'NotOlderThan') {
    errors.push(forbidden(MATCH, 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'));
  }
  if (match !== '') {
    if (query.sendInitialEvents === undefined) {
      errors.push(forbidden(MATCH, 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided'));
    }
    if (match !== 'NotOlderThan')
      errors.push({ field: MATCH, type: 'notSupported', badValue: match, detail: 'supported values: "NotOlderThan"' });
    if (query.continue) errors.push(forbidden(MATCH, 'resourceVersionMatch is forbidden when continue is provided'));
  }
  return errors;
}
