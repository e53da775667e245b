import { ApiError } from '#pkg/api';
import { badRequest } from '../refusals.ts';
import { type FieldError, invalidStatus } from '../validation/index.ts';
import type { Call } from './call.ts';

/** The query of a create, update or patch. */
export interface WriteQuery {
  readonly dryRun: boolean;
  readonly fieldManager: string;
  readonly fieldValidation: 'Ignore' | 'Warn' | 'Strict';
  readonly force: boolean;
}

const LONGEST_MANAGER = 128;

export function parseWriteQuery(call: Call, kind: 'CreateOptions' | 'UpdateOptions' | 'PatchOptions'): WriteQuery {
  const { query } = call;
  const errors: FieldError[] = [];
  const dryRun = query.getAll('dryRun');
  for (const value of dryRun) {
    if (value !== 'All')
      errors.push({ field: 'dryRun', type: 'notSupported', badValue: dryRun, detail: 'supported values: "All"' });
  }
  const fieldValidation = query.get('fieldValidation') ?? '';
  if (!['', 'Ignore', 'Warn', 'Strict'].includes(fieldValidation)) {
    const detail = 'supported values: "", "Ignore", "Strict", "Warn"';
    errors.push({ field: 'fieldValidation', type: 'notSupported', badValue: fieldValidation, detail });
  }
  const given = query.get('fieldManager') ?? '';
  if (given.length > LONGEST_MANAGER)
    errors.push({ field: 'fieldManager', type: 'tooLong', badValue: given, detail: 'may not be more than 128 bytes' });
  const force = query.get('force');
  if (force !== null && force !== 'true' && force !== 'false' && force !== '1' && force !== '0') {
    throw badRequest(`strconv.ParseBool: parsing "${force}": invalid syntax`);
  }
  if (errors.length > 0) throw new ApiError(invalidStatus({ group: 'meta.k8s.io', version: 'v1', kind }, '', errors));
  return {
    dryRun: dryRun.length > 0,
    fieldManager: given === '' ? managerOf(call.request.headers['user-agent'] ?? '') : given,
    fieldValidation: fieldValidation === '' ? 'Warn' : (fieldValidation as 'Ignore' | 'Warn' | 'Strict'),
    force: force === 'true' || force === '1',
  };
}

/** A client that names no manager goes by the first part of its user agent. */
function managerOf(userAgent: string): string {
  const name = userAgent.split('/', 1)[0]!.slice(0, LONGEST_MANAGER);
  return name === '' ? 'unknown' : name;
}
