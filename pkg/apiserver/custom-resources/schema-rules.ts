import { ownValue } from '#pkg/base';
import { isDeepStrictEqual } from 'node:util';
import { type JsonObject, cloneJson, isJsonObject, listAt, objectAt, objectsAt, stringAt } from '../json.ts';
import type { FieldError } from '../validation/errors.ts';
import type { Problems } from '../validation/errors.ts';
import { pruneUnknown } from './pruning.ts';
import { META_FIELDS, readStructural } from './structural.ts';
import { checkValue, compilePattern } from './value-rules.ts';

type Schema = Readonly<JsonObject>;
type Level = 'root' | 'item' | 'field';

/** What is wrong with the schema of a version: that it gives no structure (`schema/validation.go`), or says what no schema may say. */
export function checkSchema(problems: Problems, schema: Schema, at: string, hasStatus: boolean): void {
  if (hasStatus) checkRootOfStatus(problems, schema, at);
  if (schema['nullable'] === true) problems.forbidden(`${at}.nullable`, 'nullable cannot be true at the root');
  const structure = new Structure();
  structure.check(schema, 'root', at);
  if (structure.errors.length > 0)
    problems.list.push(...structure.errors.toSorted((a, b) => (textOf(a) < textOf(b) ? -1 : 1)));
  else checkDefaults(problems, schema, at);
  checkWords(problems, schema, at, { root: true, inMeta: false });
}

function textOf({ field, detail }: FieldError): string {
  return `${field}: ${detail}`;
}

/** What of a root is not lost when the status is validated by itself. */
const FIELDS_AT_ROOT = new Set([
  'description',
  'type',
  'format',
  'title',
  'maximum',
  'exclusiveMaximum',
  'minimum',
  'exclusiveMinimum',
  'maxLength',
  'minLength',
  'pattern',
  'maxItems',
  'minItems',
  'uniqueItems',
  'multipleOf',
  'required',
  'items',
  'properties',
  'externalDocs',
  'example',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-validations',
]);
const AT_ROOT_IN_GO =
  '[Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields XValidations]';

function checkRootOfStatus(problems: Problems, schema: Schema, at: string): void {
  if (schema['type'] !== 'object') {
    const why = 'only "object" is allowed as the type at the root of the schema if the status subresource is enabled';
    if (schema['type'] !== undefined) problems.invalid(`${at}.type`, schema['type'], why);
  } else if (Object.keys(schema).some((key) => !FIELDS_AT_ROOT.has(key))) {
    problems.wrong(
      at,
      `only ${AT_ROOT_IN_GO} fields are allowed at the root of the schema if the status subresource is enabled`,
    );
  }
}

const EMPTY_WORDS: Readonly<Record<Level, string>> = {
  root: 'must not be empty at the root',
  item: 'must not be empty for specified array items',
  field: 'must not be empty for specified object fields',
};
const INT_OR_STRING = [{ type: 'integer' }, { type: 'string' }];
const JUNCTORS = ['anyOf', 'allOf', 'oneOf'];

/** Collects what keeps a schema from being structural. */
class Structure {
  readonly errors: FieldError[] = [];

  check(schema: Schema, level: Level, at: string): void {
    const type = stringAt(schema, 'type') ?? '';
    const embedded = schema['x-kubernetes-embedded-resource'] === true;
    const intOrString = schema['x-kubernetes-int-or-string'] === true;
    const preserve = schema['x-kubernetes-preserve-unknown-fields'] === true;
    const properties = objectAt(schema, 'properties') ?? {};
    const items = objectAt(schema, 'items');
    const additional = schema['additionalProperties'];
    if (type === 'array' && items === undefined) this.#required(`${at}.items`, 'must be specified');
    if (items !== undefined) this.check(items, 'item', `${at}.items`);
    for (const [key, property] of Object.entries(properties)) {
      const isMeta = key === 'metadata' && level === 'root';
      if (isMeta) this.#checkMetadata(property, `${at}.properties[metadata]`);
      if (isJsonObject(property) && !isMeta) this.check(property, 'field', `${at}.properties[${key}]`);
    }
    if (additional !== undefined && level === 'root')
      this.#forbidden(`${at}.additionalProperties`, 'must not be used at the root');
    if (isJsonObject(additional)) this.check(additional, 'field', `${at}.additionalProperties`);
    if (intOrString && preserve)
      this.#invalid(
        `${at}.x-kubernetes-preserve-unknown-fields`,
        true,
        'must be false if x-kubernetes-int-or-string is true',
      );
    if (intOrString && embedded)
      this.#invalid(
        `${at}.x-kubernetes-embedded-resource`,
        true,
        'must be false if x-kubernetes-int-or-string is true',
      );
    this.#checkValueRules(schema, at);
    if (embedded && type !== 'object') {
      const why = 'must be object if x-kubernetes-embedded-resource is true';
      if (type === '') this.#required(`${at}.type`, why);
      else this.#invalid(`${at}.type`, type, why);
    } else if (type === '' && !intOrString && !preserve) this.#required(`${at}.type`, EMPTY_WORDS[level]);
    if (embedded && additional !== undefined)
      this.#forbidden(`${at}.additionalProperties`, 'must not be used if x-kubernetes-embedded-resource is set');
    if (level === 'root' && type !== '' && type !== 'object')
      this.#invalid(`${at}.type`, type, 'must be object at the root');
    if (level === 'root' || embedded) this.#checkTypeMeta(properties, at);
    if (embedded && !preserve && Object.keys(properties).length === 0) {
      this.#required(
        `${at}.properties`,
        'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields',
      );
    }
  }

  #checkTypeMeta(properties: JsonObject, at: string): void {
    for (const key of ['kind', 'apiVersion']) {
      const property = objectAt(properties, key);
      if (property !== undefined && property['type'] !== 'string')
        this.#invalid(`${at}.properties[${key}].type`, property['type'] ?? '', 'must be string');
    }
    const metadata = objectAt(properties, 'metadata');
    if (metadata !== undefined && metadata['type'] !== 'object')
      this.#invalid(`${at}.properties[metadata].type`, metadata['type'] ?? '', 'must be object');
  }

  #checkMetadata(metadata: unknown, at: string): void {
    if (!isJsonObject(metadata)) return;
    const { type: _type, default: _default, description: _description, properties, ...rest } = metadata;
    const names = isJsonObject(properties) ? Object.keys(properties) : [];
    if (Object.keys(rest).length === 0 && names.every((name) => name === 'name' || name === 'generateName')) return;
    this.#forbidden(
      at,
      'must not specify anything other than name and generateName, but metadata is implicitly specified',
    );
  }

  #checkValueRules(schema: Schema, at: string): void {
    const pattern = stringAt(schema, 'pattern') ?? '';
    if (pattern !== '' && !isPattern(pattern)) {
      this.#invalid(
        `${at}.pattern`,
        pattern,
        `must be a valid regular expression, but isn't: error parsing regexp: ${pattern}`,
      );
    }
    const isChoice = (value: unknown): boolean => isDeepStrictEqual(value, INT_OR_STRING);
    for (const key of JUNCTORS) {
      if (key === 'anyOf' && isChoice(schema[key])) continue;
      for (const [index, nested] of objectsAt(schema, key).entries()) {
        this.#checkNested(
          nested,
          `${at}.${key}[${index}]`,
          key === 'allOf' && index === 0 && isChoice(nested['anyOf']),
        );
      }
    }
    const not = objectAt(schema, 'not');
    if (not !== undefined) this.#checkNested(not, `${at}.not`, false);
  }

  /** Below a junctor there are rules for values, and nothing that gives structure. */
  #checkNested(schema: Schema, at: string, skipAnyOf: boolean): void {
    const { anyOf: _anyOf, ...withoutChoice } = schema;
    this.#checkValueRules(skipAnyOf ? withoutChoice : schema, at);
    for (const [key, words] of Object.entries(FORBIDDEN_BELOW)) {
      const value = ownValue(schema, key);
      if (value !== undefined && value !== '' && value !== false && !(Array.isArray(value) && value.length === 0))
        this.#forbidden(`${at}.${key}`, words);
    }
    const items = objectAt(schema, 'items');
    if (items !== undefined) this.#checkNested(items, `${at}.items`, false);
    for (const [key, property] of Object.entries(objectAt(schema, 'properties') ?? {})) {
      if (isJsonObject(property)) this.#checkNested(property, `${at}.properties[${key}]`, false);
      if (key === 'metadata')
        this.#forbidden(`${at}.properties[metadata]`, 'must not be specified in a nested context');
    }
  }

  #required(field: string, detail: string): void {
    this.errors.push({ field, type: 'required', detail });
  }

  #forbidden(field: string, detail: string): void {
    this.errors.push({ field, type: 'forbidden', detail });
  }

  #invalid(field: string, badValue: unknown, detail: string): void {
    this.errors.push({ field, type: 'invalid', badValue, detail });
  }
}

const FORBIDDEN_BELOW: Readonly<Record<string, string>> = {
  type: 'must be empty to be structural',
  additionalProperties: 'must be undefined to be structural',
  default: 'must be undefined to be structural',
  title: 'must be empty to be structural',
  description: 'must be empty to be structural',
  nullable: 'must be false to be structural',
  'x-kubernetes-preserve-unknown-fields': 'must be false to be structural',
  'x-kubernetes-embedded-resource': 'must be false to be structural',
  'x-kubernetes-int-or-string': 'must be false to be structural',
  'x-kubernetes-list-map-keys': 'must be empty to be structural',
  'x-kubernetes-list-type': 'must be undefined to be structural',
  'x-kubernetes-map-type': 'must be undefined to be structural',
  'x-kubernetes-validations': 'must be empty to be structural',
};

function isPattern(pattern: string): boolean {
  try {
    compilePattern(pattern);
    return true;
  } catch {
    return false;
  }
}

/** Checks that defaults are what the schema around them allows. */
function checkDefaults(problems: Problems, schema: Schema, at: string): void {
  const value = schema['default'];
  if (value !== undefined) {
    const structural = readStructural(schema);
    const pruned = { default: cloneJson(value) };
    pruneUnknown(pruned, { ...readStructural({}), properties: new Map([['default', structural]]) });
    if (!isDeepStrictEqual(pruned.default, value))
      problems.invalid(`${at}.default`, value, 'must not have unknown fields');
    for (const error of checkValue(schema, value, ''))
      problems.list.push({ ...error, field: error.field === '' ? `${at}.default` : `${at}.default.${error.field}` });
  }
  const items = objectAt(schema, 'items');
  if (items !== undefined) checkDefaults(problems, items, `${at}.items`);
  for (const [key, property] of Object.entries(objectAt(schema, 'properties') ?? {})) {
    if (isJsonObject(property)) checkDefaults(problems, property, `${at}.properties[${key}]`);
  }
}

const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string'];
const UNSUPPORTED = ['id', 'additionalItems', 'patternProperties', 'definitions', 'dependencies', '$ref'];

interface Place {
  readonly root: boolean;
  readonly inMeta: boolean;
  /** Why nothing may be given by default here. */
  readonly noDefault?: string;
}

/** What no schema may say, wherever it stands (`ValidateCustomResourceDefinitionOpenAPISchema`). */
function checkWords(problems: Problems, schema: Schema, at: string, place: Place): void {
  const type = stringAt(schema, 'type') ?? '';
  if (type !== '' && !TYPES.includes(type)) problems.unsupported(`${at}.type`, type, TYPES);
  if (schema['default'] !== undefined && place.noDefault !== undefined)
    problems.forbidden(`${at}.default`, `must not be set ${place.noDefault}`);
  for (const key of UNSUPPORTED)
    if (ownValue(schema, key) !== undefined && ownValue(schema, key) !== '')
      problems.forbidden(`${at}.${key}`, `${key} is not supported`);
  if (type === 'null') problems.forbidden(`${at}.type`, 'type cannot be set to null, use nullable as an alternative');
  if (Array.isArray(schema['items']))
    problems.forbidden(`${at}.items`, 'items must be a schema object and not an array');
  const embedded = schema['x-kubernetes-embedded-resource'] === true;
  if (place.inMeta && embedded)
    problems.forbidden(`${at}.x-kubernetes-embedded-resource`, 'must not be used inside of resource meta');
  if (schema['uniqueItems'] === true) {
    problems.forbidden(
      `${at}.uniqueItems`,
      'uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
    );
  }
  const properties = objectAt(schema, 'properties') ?? {};
  const additional = schema['additionalProperties'];
  if (additional !== undefined && additional !== true && Object.keys(properties).length > 0) {
    problems.forbidden(`${at}.additionalProperties`, 'additionalProperties and properties are mutual exclusive');
  }
  const below: Place = { ...place, root: false };
  if (isJsonObject(additional)) {
    const noDefault = place.inMeta ? { noDefault: 'inside additionalProperties applying to object metadata' } : {};
    checkWords(problems, additional, `${at}.additionalProperties`, { ...below, ...noDefault });
  }
  for (const [key, property] of Object.entries(properties)) {
    const isMeta = (place.root || embedded) && META_FIELDS.has(key);
    const special = isMeta ? { inMeta: true, ...(place.root ? { noDefault: `in top-level ${key}` } : {}) } : {};
    if (isJsonObject(property)) checkWords(problems, property, `${at}.properties[${key}]`, { ...below, ...special });
  }
  const not = objectAt(schema, 'not');
  if (not !== undefined) checkWords(problems, not, `${at}.not`, below);
  for (const key of JUNCTORS)
    for (const [index, nested] of objectsAt(schema, key).entries())
      checkWords(problems, nested, `${at}.${key}[${index}]`, below);
  const items = objectAt(schema, 'items');
  if (items !== undefined) checkWords(problems, items, `${at}.items`, below);
  checkTopology(problems, schema, type, at);
}

function checkTopology(problems: Problems, schema: Schema, type: string, at: string): void {
  if (schema['x-kubernetes-preserve-unknown-fields'] === false)
    problems.invalid(`${at}.x-kubernetes-preserve-unknown-fields`, false, 'must be true or undefined');
  const mapType = stringAt(schema, 'x-kubernetes-map-type');
  const listType = stringAt(schema, 'x-kubernetes-list-type');
  const mustBe = (wanted: string, word: string): void => {
    const why = `must be ${wanted} if ${word} is specified`;
    if (type === '') problems.required(`${at}.type`, why);
    else if (type !== wanted) problems.invalid(`${at}.type`, type, why);
  };
  if (mapType !== undefined) mustBe('object', 'x-kubernetes-map-type');
  problems.oneOf(`${at}.x-kubernetes-map-type`, mapType, ['atomic', 'granular']);
  const items = objectAt(schema, 'items');
  if (listType !== undefined) mustBe('array', 'x-kubernetes-list-type');
  if (listType === 'set' && type === 'array' && items !== undefined) {
    const why = 'must be atomic as item of a list with x-kubernetes-list-type=set';
    const itemList = items['x-kubernetes-list-type'];
    if (items['type'] === 'array' && itemList !== undefined && itemList !== 'atomic')
      problems.invalid(`${at}.items.x-kubernetes-list-type`, itemList, why);
    if (items['type'] === 'object' && items['x-kubernetes-map-type'] !== 'atomic')
      problems.invalid(`${at}.items.x-kubernetes-map-type`, null, why);
  }
  problems.oneOf(`${at}.x-kubernetes-list-type`, listType, ['atomic', 'set', 'map']);
  const keys = listAt(schema, 'x-kubernetes-list-map-keys').map(String);
  if (keys.length > 0 && listType !== 'map') {
    const why = 'must be map if x-kubernetes-list-map-keys is non-empty';
    if (listType === undefined) problems.required(`${at}.x-kubernetes-list-type`, why);
    else problems.invalid(`${at}.x-kubernetes-list-type`, listType, why);
  }
  if (listType === 'map') checkMapList(problems, keys, items, at);
  if ((listType === 'map' || listType === 'set') && items?.['nullable'] === true) {
    problems.forbidden(`${at}.items.nullable`, `cannot be nullable when x-kubernetes-list-type is ${listType}`);
  }
}

function checkMapList(problems: Problems, keys: readonly string[], items: JsonObject | undefined, at: string): void {
  const place = `${at}.x-kubernetes-list-map-keys`;
  if (keys.length === 0) problems.required(place, 'must not be empty if x-kubernetes-list-type is map');
  if (items === undefined) {
    problems.required(`${at}.items`, 'must have a schema if x-kubernetes-list-type is map');
    return;
  }
  if (items['type'] !== 'object') {
    problems.invalid(
      `${at}.items.type`,
      items['type'] ?? '',
      "must be object if parent array's x-kubernetes-list-type is map",
    );
    return;
  }
  const required = new Set(listAt(items, 'required'));
  for (const [index, key] of keys.entries()) {
    const property = objectAt(objectAt(items, 'properties'), key);
    const own = `${at}.items.properties[${key}]`;
    if (property === undefined) problems.invalid(place, keys, 'entries must all be names of item properties');
    else if (property['type'] === 'array' || property['type'] === 'object') {
      problems.invalid(
        `${own}.type`,
        items['type'],
        "must be a scalar type if parent array's x-kubernetes-list-type is map",
      );
    }
    if (keys.indexOf(key) < index) problems.invalid(place, keys, 'must not contain duplicate entries');
    if (property === undefined) continue;
    if (!required.has(key) && property['default'] === undefined) {
      problems.required(
        `${own}.default`,
        'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property',
      );
    }
    if (property['nullable'] === true)
      problems.forbidden(`${own}.nullable`, 'this property is in x-kubernetes-list-map-keys, so it cannot be nullable');
  }
}
