import { ownValue } from '#pkg/base';
import { printGo } from '../decode/index.ts';
import { type JsonObject, isJsonObject, objectAt, stringAt } from '../json.ts';
import { type FieldError, Problems } from '../validation/errors.ts';
import { checkMetadata, checkMetadataUpdate } from '../validation/metadata.ts';
import { subdomainErrors } from '../validation/names.ts';
import type { CustomKind } from './custom-kind.ts';
import { checkEmbedded, checkLists } from './list-rules.ts';
import { checkValue } from './value-rules.ts';

const INT32_MAX = 2_147_483_647;

/** What is wrong with a new custom resource (`customresource/validator.go`, `strategy.go`). */
export function checkNew(kind: CustomKind, object: JsonObject): FieldError[] {
  const mistaken = typeErrors(kind, object);
  if (mistaken.length > 0) return mistaken;
  const problems = new Problems();
  checkMetadata(problems, objectAt(object, 'metadata') ?? {}, subdomainErrors, 'metadata', true);
  problems.list.push(...checkValue(kind.structural.source, object, ''));
  checkScale(problems, kind, object, true);
  problems.list.push(...checkEmbedded(object, kind.structural), ...checkLists(object, kind.structural));
  return problems.list;
}

/** What is wrong with a change. Parts that are as they were are not objected to. */
export function checkUpdated(
  kind: CustomKind,
  object: JsonObject,
  old: JsonObject,
  subresource: string | undefined,
): FieldError[] {
  const mistaken = typeErrors(kind, object);
  if (mistaken.length > 0) return mistaken;
  const problems = new Problems();
  const metadata = objectAt(object, 'metadata') ?? {};
  checkMetadata(problems, metadata, () => [], 'metadata', true);
  checkMetadataUpdate(problems, metadata, objectAt(old, 'metadata') ?? {});
  const ofStatus = subresource === 'status';
  if (ofStatus) {
    const schema = kind.structural.properties.get('status')?.source;
    if (schema !== undefined && object['status'] !== undefined)
      problems.list.push(...checkStatus(schema, object['status'], old['status']));
  } else problems.list.push(...checkValue(kind.structural.source, object, '', old));
  checkScale(problems, kind, object, !ofStatus);
  if (!ofStatus) problems.list.push(...checkEmbedded(object, kind.structural));
  // What was stored before the definition said so may stay as it is.
  const doubled = checkLists(object, kind.structural);
  if (doubled.length > 0 && checkLists(old, kind.structural).length === 0) problems.list.push(...doubled);
  return problems.list;
}

/** Upstream validates a status by itself: its sentences name paths within it, its fields the whole path. */
function checkStatus(schema: Readonly<JsonObject>, status: unknown, old: unknown): FieldError[] {
  const errors = old === undefined ? checkValue(schema, status, '') : checkValue(schema, status, '', old);
  return errors.map((error) => ({
    ...error,
    field: error.field === '' || error.field === '<nil>' ? 'status' : `status.${error.field}`,
  }));
}

function typeErrors({ kind, apiVersion }: CustomKind, object: JsonObject): FieldError[] {
  const problems = new Problems();
  if (object['kind'] !== kind) problems.invalid('kind', object['kind'] ?? '', `must be ${kind}`);
  if (object['apiVersion'] !== apiVersion)
    problems.invalid('apiVersion', object['apiVersion'] ?? '', `must be ${apiVersion}`);
  return problems.list;
}

function checkScale(problems: Problems, { scale }: CustomKind, object: JsonObject, withSpec: boolean): void {
  if (scale === undefined) return;
  if (withSpec) checkCount(problems, stringAt(scale, 'specReplicasPath') ?? '', object);
  checkCount(problems, stringAt(scale, 'statusReplicasPath') ?? '', object);
  const selectorPath = stringAt(scale, 'labelSelectorPath');
  if (selectorPath === undefined) return;
  const selector = valueAt(problems, object, selectorPath, '');
  if (selector !== undefined && typeof selector !== 'string') {
    problems.invalid(
      selectorPath,
      '',
      `${selectorPath} accessor error: ${printGo(selector)} is of the type ${goTypeOf(selector)}, expected string`,
    );
  }
}

function checkCount(problems: Problems, path: string, object: JsonObject): void {
  const count = valueAt(problems, object, path, 0);
  if (count === undefined) return;
  if (typeof count !== 'number' || !Number.isInteger(count)) {
    problems.invalid(
      path,
      0,
      `${path} accessor error: ${printGo(count)} is of the type ${goTypeOf(count)}, expected int64`,
    );
  } else if (count < 0) problems.invalid(path, count, 'should be a non-negative integer');
  else if (count > INT32_MAX) problems.invalid(path, count, `should be less than or equal to ${INT32_MAX}`);
}

function goTypeOf(value: unknown): string {
  if (value === null) return '<nil>';
  if (Array.isArray(value)) return '[]interface {}';
  return typeof value === 'number'
    ? 'float64'
    : typeof value === 'object'
      ? 'map[string]interface {}'
      : typeof value === 'boolean'
        ? 'bool'
        : typeof value;
}

/** The value at a simple path such as `.spec.replicas`; that something on the way has no keys is told, with `missing` as the value. */
function valueAt(problems: Problems, object: JsonObject, path: string, missing: unknown): unknown {
  const keys = path.replace(/^\./, '').split('.');
  let value: unknown = object;
  for (const [index, key] of keys.entries()) {
    if (value === undefined || value === null) return undefined;
    if (!isJsonObject(value)) {
      const at = `.${keys.slice(0, index + 1).join('.')}`;
      problems.invalid(
        path,
        missing,
        `${at} accessor error: ${printGo(value)} is of the type ${goTypeOf(value)}, expected map[string]interface{}`,
      );
      return undefined;
    }
    value = ownValue(value, key);
  }
  return value;
}
