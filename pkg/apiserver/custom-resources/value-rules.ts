import { ownValue, isNumber } from '#pkg/base';
import { isDeepStrictEqual } from 'node:util';
import { type JsonObject, isJsonObject, listAt, numberAt, objectAt, objectsAt, stringAt } from '../json.ts';
import type { FieldError } from '../validation/errors.ts';
import { fitsFormat, isKnownFormat } from './formats.ts';

/*
 * What a definition's schema says of values, in the words of upstream's validator (`kube-openapi/pkg/validation/validate`, and
 * `apiserver/validation` which translates them).
 */

type Schema = Readonly<JsonObject>;

interface Findings {
  readonly errors: FieldError[];
  /** Parts of the value that a schema spoke of: which of several alternatives came nearest. */
  matched: number;
}

/** Nothing to compare with: a new value. */
const NEW = Symbol('no value before');

/**
 * What is wrong with `value`. On an update, `old` is what it was: parts that are as they were are not objected to (validation
 * ratcheting, KEP-4008).
 */
export function checkValue(schema: Schema, value: unknown, path: string, old: unknown = NEW): FieldError[] {
  return validate(schema, value, path, old).errors;
}

function validate(schema: Schema, value: unknown, path: string, old: unknown): Findings {
  const findings: Findings = { errors: [], matched: 1 };
  if (old !== NEW && isDeepStrictEqual(value, old)) return findings;
  checkType(findings, schema, value, path);
  if (value === null || value === undefined) {
    checkEnum(findings, schema, value, path);
    return findings;
  }
  checkAlternatives(findings, schema, value, path, old);
  if (typeof value === 'string') checkString(findings, schema, value, path);
  else if (isNumber(value)) checkNumber(findings, schema, value.valueOf(), path);
  else if (Array.isArray(value)) checkList(findings, schema, value as unknown[], path, old);
  checkEnum(findings, schema, value, path);
  if (isJsonObject(value)) checkObject(findings, schema, value, path, old);
  return findings;
}

function merge(into: Findings, from: Findings): void {
  into.errors.push(...from.errors);
  into.matched += from.matched;
}

/** The path as upstream's sentences have it, and as the error's field. */
function fieldOf(path: string): string {
  return path.startsWith('.') ? path.slice(1) : path;
}

function invalid(findings: Findings, path: string, badValue: unknown, words: string): void {
  findings.errors.push({ field: fieldOf(path), type: 'invalid', badValue, detail: `${path} in body ${words}` });
}

/** What is wrong with the object as a whole has no field to name. */
function composite(findings: Findings, detail: string): void {
  findings.errors.push({ field: '<nil>', type: 'invalid', badValue: '', detail });
}

function typesOf(schema: Schema): string[] {
  if (schema['x-kubernetes-int-or-string'] === true) return ['integer', 'string'];
  const type = stringAt(schema, 'type') ?? '';
  return type === '' ? [] : [type];
}

function typeOf(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return 'array';
  if (isNumber(value)) return Number.isInteger(value.valueOf()) ? 'integer' : 'number';
  return typeof value;
}

function checkType(findings: Findings, schema: Schema, value: unknown, path: string): void {
  const types = typesOf(schema);
  const said = stringAt(schema, 'format') ?? '';
  const format = isKnownFormat(types[0] ?? '', said) ? said : '';
  const actual = typeOf(value);
  const wrong = (wanted: string, found: string): void => {
    const detail = `${path} in body must be of type ${wanted}: ${JSON.stringify(found)}`;
    findings.errors.push({ field: fieldOf(path), type: 'typeInvalid', badValue: found, detail });
  };
  if (actual === 'null') {
    if (types.length > 0 && schema['nullable'] !== true) wrong(types.join(','), 'null');
    return;
  }
  if (types.length === 0 && format === '') return;
  const fits = types.includes(actual) || (actual === 'integer' && types.includes('number'));
  if (fits) return;
  const numeric = types.includes('number') || types.includes('integer');
  if (format !== '') {
    const held = actual === 'string' || actual === 'array';
    if (!held) return wrong(format, ownValue(NUMERIC_FORMATS, actual) ?? '');
    if (!numeric) return;
  }
  wrong(types.join(','), actual);
}

/** The forms of numbers that upstream takes. */
const NUMERIC_FORMATS: Readonly<Record<string, string>> = { number: 'float64', integer: 'int64' };

function checkString(findings: Findings, schema: Schema, value: string, path: string): void {
  const characters = Array.from(value).length;
  const most = numberAt(schema, 'maxLength');
  const least = numberAt(schema, 'minLength');
  const pattern = stringAt(schema, 'pattern') ?? '';
  const format = stringAt(schema, 'format') ?? '';
  if (most !== undefined && characters > most) {
    findings.errors.push({ field: fieldOf(path), type: 'tooLong', detail: `may not be more than ${most} bytes` });
  } else if (least !== undefined && characters < least)
    invalid(findings, path, value, `should be at least ${least} chars long`);
  else if (pattern !== '' && !compilePattern(pattern).test(value))
    invalid(findings, path, value, `should match '${pattern}'`);
  if (format !== '' && !fitsFormat(format, value)) {
    const detail = `${path} in body must be of type ${format}: ${JSON.stringify(value)}`;
    findings.errors.push({ field: fieldOf(path), type: 'typeInvalid', badValue: value, detail });
  }
}

const patterns = new Map<string, RegExp>();

/** Go's patterns, of which these differ from JavaScript's: `\z` and flags in front. */
export function compilePattern(pattern: string): RegExp {
  let compiled = patterns.get(pattern);
  if (compiled === undefined) {
    const [, flags = '', rest = pattern] = /^\(\?([ims]+)\)(.*)$/s.exec(pattern) ?? [];
    compiled = new RegExp(rest.replace(/\\z/g, '$(?!\\n)').replace(/\\A/g, '^'), `u${flags}`);
    patterns.set(pattern, compiled);
  }
  return compiled;
}

function checkNumber(findings: Findings, schema: Schema, value: number, path: string): void {
  const whole = Number.isInteger(value);
  // A whole number is compared with the whole part of what bounds it.
  const bound = (key: string): number | undefined => {
    const given = numberAt(schema, key);
    return given === undefined || !whole ? given : Math.trunc(given);
  };
  const format = stringAt(schema, 'format') ?? '';
  const outside = format === 'int32' && (value > INT32_MAX || value < -INT32_MAX - 1);
  if (schema['type'] === 'integer' && (!whole || outside)) {
    composite(
      findings,
      `Checked value must be of type integer ${format === '' ? '(default format)' : `with format ${format}`} in ${path}`,
    );
  }
  const factor = bound('multipleOf');
  if (factor !== undefined && factor <= 0) {
    findings.errors.push({
      field: fieldOf(path),
      type: 'invalid',
      badValue: value,
      detail: `factor MultipleOf declared for ${path} must be positive: ${factor}`,
    });
  } else if (factor !== undefined && !Number.isInteger(roundTo(value / factor)))
    invalid(findings, path, value, `should be a multiple of ${factor}`);
  const most = bound('maximum');
  const belowMost = schema['exclusiveMaximum'] === true;
  if (most !== undefined && (belowMost ? value >= most : value > most)) {
    invalid(findings, path, value, `should be less than ${belowMost ? '' : 'or equal to '}${most}`);
  }
  const least = bound('minimum');
  const aboveLeast = schema['exclusiveMinimum'] === true;
  if (least !== undefined && (aboveLeast ? value <= least : value < least)) {
    invalid(findings, path, value, `should be greater than ${aboveLeast ? '' : 'or equal to '}${least}`);
  }
}

const INT32_MAX = 2_147_483_647;

/** Decimal fractions are not exact in binary. */
function roundTo(value: number): number {
  return Math.abs(value - Math.round(value)) < 1e-9 ? Math.round(value) : value;
}

function checkEnum(findings: Findings, schema: Schema, value: unknown, path: string): void {
  const allowed = listAt(schema, 'enum');
  if (allowed.length === 0 || allowed.some((one) => isDeepStrictEqual(one, value))) return;
  if (value === null && schema['nullable'] === true) return;
  const values = allowed.map((one) => JSON.stringify(typeof one === 'string' ? one : JSON.stringify(one)));
  findings.errors.push({
    field: fieldOf(path),
    type: 'notSupported',
    badValue: value,
    detail: `supported values: ${values.join(', ')}`,
  });
}

function checkList(findings: Findings, schema: Schema, list: readonly unknown[], path: string, old: unknown): void {
  const items = objectAt(schema, 'items');
  if (items !== undefined) {
    for (const [index, item] of list.entries())
      merge(findings, validate(items, item, `${path}[${index}]`, itemBefore(schema, item, old)));
  }
  const least = numberAt(schema, 'minItems');
  const most = numberAt(schema, 'maxItems');
  if (least !== undefined && list.length < least)
    invalid(findings, path, list.length, `should have at least ${least} items`);
  if (most !== undefined && list.length > most) tooMany(findings, path, list.length, most);
  if (
    schema['uniqueItems'] === true &&
    list.some((item, index) => list.slice(0, index).some((other) => isDeepStrictEqual(item, other)))
  ) {
    invalid(findings, path, '', "shouldn't contain duplicates");
  }
}

function tooMany(findings: Findings, path: string, found: number, most: number): void {
  findings.errors.push({
    field: fieldOf(path),
    type: 'tooMany',
    badValue: found,
    detail: `must have at most ${most} items`,
  });
}

/** Only items that have keys can be told from one another. */
function itemBefore(schema: Schema, item: unknown, old: unknown): unknown {
  if (!Array.isArray(old) || stringAt(schema, 'x-kubernetes-list-type') !== 'map' || !isJsonObject(item)) return NEW;
  const keys = listAt(schema, 'x-kubernetes-list-map-keys').map(String);
  const twin: unknown = old.find(
    (one) => isJsonObject(one) && keys.every((key) => isDeepStrictEqual(ownValue(one, key), ownValue(item, key))),
  );
  return twin === undefined ? NEW : twin;
}

function checkObject(findings: Findings, schema: Schema, value: JsonObject, path: string, old: unknown): void {
  const size = Object.keys(value).length;
  const least = numberAt(schema, 'minProperties');
  const most = numberAt(schema, 'maxProperties');
  if (least !== undefined && size < least) invalid(findings, path, size, `should have at least ${least} properties`);
  if (most !== undefined && size > most) tooMany(findings, path, size, most);
  const properties = objectAt(schema, 'properties') ?? {};
  const additional = schema['additionalProperties'];
  for (const [key, child] of Object.entries(value)) {
    const property = objectAt(properties, key);
    if (property !== undefined) {
      merge(findings, validate(property, child, path === '' ? key : `${path}.${key}`, before(old, key)));
    } else if (additional === false) {
      findings.errors.push({
        field: fieldOf(path),
        type: 'invalid',
        badValue: key,
        detail: `${path}.${key} in body is a forbidden property`,
      });
    } else if (isJsonObject(additional))
      merge(findings, validate(additional, child, `${path}.${key}`, before(old, key)));
  }
  for (const key of listAt(schema, 'required').map(String)) {
    if (ownValue(value, key) === undefined)
      findings.errors.push({ field: fieldOf(`${path}.${key}`), type: 'required', detail: '' });
  }
}

function before(old: unknown, key: string): unknown {
  return isJsonObject(old) && ownValue(old, key) !== undefined ? ownValue(old, key) : NEW;
}

function checkAlternatives(findings: Findings, schema: Schema, value: unknown, path: string, old: unknown): void {
  const attempt = (key: string): Findings[] => objectsAt(schema, key).map((one) => validate(one, value, path, old));
  const holds = (one: Findings): boolean => one.errors.length === 0;
  const quoted = JSON.stringify(path);

  const any = attempt('anyOf');
  if (any.length > 0 && !any.some(holds)) {
    composite(findings, `${quoted} must validate at least one schema (anyOf)`);
    merge(findings, nearest(any));
  }
  const one = attempt('oneOf');
  const valid = one.filter(holds).length;
  if (one.length > 0 && valid !== 1) {
    composite(
      findings,
      `${quoted} must validate one and only one schema (oneOf). ${valid === 0 ? 'Found none valid' : `Found ${valid} valid alternatives`}`,
    );
    if (valid === 0) merge(findings, nearest(one));
  }
  const all = attempt('allOf');
  for (const each of all) merge(findings, each);
  if (!all.every(holds)) {
    composite(findings, `${quoted} must validate all the schemas (allOf)${all.some(holds) ? '' : '. None validated'}`);
  }
  const not = objectAt(schema, 'not');
  if (not !== undefined && holds(validate(not, value, path, old)))
    composite(findings, `${quoted} must not validate the schema (not)`);
}

/** Picks, of several that failed, the one of which most was there. */
function nearest(failed: readonly Findings[]): Findings {
  return failed.reduce((best, one) => (one.matched > best.matched ? one : best));
}
