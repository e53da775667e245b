import { ownValue } from '#pkg/base';
import { isDeepStrictEqual } from 'node:util';
import { type JsonObject, listAt, objectAt, objectsAt, stringAt } from '../json.ts';
import type { Problems } from '../validation/errors.ts';
import { label1035Errors, subdomainErrors } from '../validation/names.ts';
import { conditionOf } from './definition.ts';
import { compilePath } from './json-path.ts';
import { checkSchema } from './schema-rules.ts';
import { readStructural, structuralUnder } from './structural.ts';

/*
 * What is wrong with a definition, in upstream's words (`apiextensions/validation/validation.go`). Rules in CEL are not looked
 * into.
 */

const SCOPES = ['Cluster', 'Namespaced'];
const APPROVAL = 'api-approved.kubernetes.io';
const KIND_WORDS = 'may have mixed case, but should otherwise match: ';

export function checkDefinition(problems: Problems, object: JsonObject): void {
  const spec = objectAt(object, 'spec') ?? {};
  checkSpec(problems, spec);
  checkNames(problems, objectAt(objectAt(object, 'status'), 'acceptedNames') ?? {}, 'status.acceptedNames');
  checkStored(problems, listAt(objectAt(object, 'status'), 'storedVersions').map(String), objectsAt(spec, 'versions'));
  checkApproval(problems, object);
  if (spec['preserveUnknownFields'] === true) {
    const detail =
      'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead';
    problems.invalid('spec.preserveUnknownFields', true, detail);
  }
}

/** What a new one must be called. */
export function checkDefinitionName(problems: Problems, object: JsonObject): void {
  const spec = objectAt(object, 'spec');
  const name = stringAt(object['metadata'], 'name') ?? '';
  if (name !== `${stringAt(objectAt(spec, 'names'), 'plural') ?? ''}.${stringAt(spec, 'group') ?? ''}`) {
    problems.invalid('metadata.name', name, 'must be spec.names.plural+"."+spec.group');
  }
}

/** What may not change. */
export function checkDefinitionUpdate(problems: Problems, object: JsonObject, old: JsonObject): void {
  const keep = (path: readonly string[]): void => {
    const [before, after] = [old, object].map((one) =>
      path.reduce<unknown>((value, key) => ownValue(value as JsonObject | undefined, key), one),
    );
    if (!isDeepStrictEqual(before, after)) problems.invalid(path.join('.'), after, 'field is immutable');
  };
  if (conditionOf(old, 'Established')?.['status'] === 'True') {
    keep(['spec', 'scope']);
    keep(['spec', 'names', 'kind']);
  }
  keep(['spec', 'group']);
  keep(['spec', 'names', 'plural']);
}

function checkSpec(problems: Problems, spec: JsonObject): void {
  const group = stringAt(spec, 'group') ?? '';
  if (group === '') problems.required('spec.group');
  else if (subdomainErrors(group).length > 0) problems.invalid('spec.group', group, subdomainErrors(group).join(','));
  else if (!group.includes('.')) problems.invalid('spec.group', group, 'should be a domain with at least one dot');
  checkChoice(problems, 'spec.scope', stringAt(spec, 'scope') ?? '', SCOPES);
  const versions = objectsAt(spec, 'versions');
  for (const [index, version] of versions.entries()) {
    if (objectAt(objectAt(version, 'schema'), 'openAPIV3Schema') === undefined)
      problems.required(`spec.versions[${index}].schema.openAPIV3Schema`);
  }
  const { shared, own } = hoist(versions);
  for (const [index, version] of own.entries()) checkVersion(problems, version, `spec.versions[${index}]`, 'schema');
  const names = versions.map((version) => version['name']);
  if (new Set(names).size < names.length)
    problems.invalid('spec.versions', own.map(inGo), 'must contain unique version names');
  if (versions.filter((version) => version['storage'] === true).length !== 1) {
    problems.invalid(
      'spec.versions',
      own.length === 0 ? [] : own.map(inGo),
      'must have exactly one version marked as storage version',
    );
  }
  const [first] = names.map(String);
  if (first !== undefined && label1035Errors(first).length > 0)
    problems.invalid('spec.version', first, label1035Errors(first).join(','));
  const wanted = objectAt(spec, 'names') ?? {};
  for (const key of ['plural', 'singular', 'kind', 'listKind'])
    if ((stringAt(wanted, key) ?? '') === '') problems.required(`spec.names.${key}`);
  checkNames(problems, wanted, 'spec.names');
  checkParts(problems, shared, 'spec', 'validation');
  checkConversion(problems, objectAt(spec, 'conversion'));
}

function checkChoice(problems: Problems, field: string, value: string, choices: readonly string[]): void {
  if (value === '') problems.required(field);
  else if (!choices.includes(value)) problems.unsupported(field, value, choices);
}

function checkNames(problems: Problems, names: JsonObject, at: string): void {
  const check = (field: string, value: string, words = '', folded = value): void => {
    const errors = label1035Errors(folded);
    if (value !== '' && errors.length > 0) problems.invalid(`${at}.${field}`, value, words + errors.join(','));
  };
  const text = (key: string): string => stringAt(names, key) ?? '';
  check('plural', text('plural'));
  check('singular', text('singular'));
  for (const key of ['kind', 'listKind']) check(key, text(key), KIND_WORDS, text(key).toLowerCase());
  for (const [index, name] of listAt(names, 'shortNames').map(String).entries()) check(`shortNames[${index}]`, name);
  if (text('kind') !== '' && text('kind') === text('listKind'))
    problems.invalid(`${at}.listKind`, text('listKind'), 'kind and listKind may not be the same');
  for (const [index, name] of listAt(names, 'categories').map(String).entries()) check(`categories[${index}]`, name);
}

const PARTS = ['schema', 'subresources', 'additionalPrinterColumns', 'selectableFields'] as const;

/** What all versions have alike upstream holds, and names, as a part of the spec itself. */
function hoist(versions: readonly JsonObject[]): { readonly shared: JsonObject; readonly own: JsonObject[] } {
  const [first, ...others] = versions;
  const alike = PARTS.filter(
    (part) => first?.[part] !== undefined && others.every((other) => isDeepStrictEqual(other[part], first[part])),
  );
  return {
    shared: Object.fromEntries(alike.map((part) => [part, first![part]])),
    own: versions.map((version) =>
      Object.fromEntries(Object.entries(version).filter(([key]) => !(alike as readonly string[]).includes(key))),
    ),
  };
}

/** Shows a version that is objected to as upstream does. */
function inGo(version: JsonObject): JsonObject {
  const { name, served, storage, deprecated = false, deprecationWarning = null, schema = null } = version;
  const subresources = objectAt(version, 'subresources');
  const { additionalPrinterColumns = null, selectableFields = null } = version;
  return {
    Name: name,
    Served: served,
    Storage: storage,
    Deprecated: deprecated,
    DeprecationWarning: deprecationWarning,
    Schema: schema,
    Subresources:
      subresources === undefined
        ? null
        : { Status: subresources['status'] ?? null, Scale: subresources['scale'] ?? null },
    AdditionalPrinterColumns: additionalPrinterColumns,
    SelectableFields: selectableFields,
  };
}

function checkVersion(problems: Problems, version: JsonObject, at: string, schemaAt: string): void {
  const name = stringAt(version, 'name') ?? '';
  const errors = label1035Errors(name);
  if (errors.length > 0) problems.invalid(`${at}.name`, name, errors.join(','));
  const warning = stringAt(version, 'deprecationWarning');
  if (warning !== undefined && version['deprecated'] !== true)
    problems.invalid(`${at}.deprecationWarning`, warning, 'can only be set for deprecated versions');
  else if (warning !== undefined && warning.length > 256)
    problems.invalid(`${at}.deprecationWarning`, warning, 'must be <= 256 characters long');
  else if (warning === '') problems.invalid(`${at}.deprecationWarning`, warning, 'must not be an empty string');
  checkParts(problems, version, at, schemaAt);
}

function checkParts(problems: Problems, version: JsonObject, at: string, schemaAt: string): void {
  const schema = objectAt(objectAt(version, 'schema'), 'openAPIV3Schema');
  const subresources = objectAt(version, 'subresources');
  if (schema !== undefined)
    checkSchema(problems, schema, `${at}.${schemaAt}.openAPIV3Schema`, objectAt(subresources, 'status') !== undefined);
  const scale = objectAt(subresources, 'scale');
  if (scale !== undefined) checkScalePaths(problems, scale, `${at}.subresources.scale`);
  for (const [index, column] of objectsAt(version, 'additionalPrinterColumns').entries())
    checkColumn(problems, column, `${at}.additionalPrinterColumns[${index}]`);
  checkSelectable(problems, objectsAt(version, 'selectableFields'), schema, at);
}

function checkScalePaths(problems: Problems, scale: JsonObject, at: string): void {
  const check = (key: string, roots: readonly string[], required: boolean): void => {
    const path = stringAt(scale, key) ?? '';
    const parents = roots.map((root) => `.${root}`);
    if (path === '') {
      if (required) problems.required(`${at}.${key}`);
    } else if (!path.startsWith('.'))
      problems.invalid(`${at}.${key}`, path, 'must be a simple json path starting with .');
    else if (!parents.some((parent) => path.startsWith(`${parent}.`))) {
      problems.invalid(
        `${at}.${key}`,
        path,
        `should be a json path under ${parents.length > 1 ? 'either ' : ''}${parents.join(' or ')}`,
      );
    }
  };
  check('specReplicasPath', ['spec'], true);
  check('statusReplicasPath', ['status'], true);
  check('labelSelectorPath', ['spec', 'status'], false);
}

const COLUMN_TYPES = ['boolean', 'date', 'integer', 'number', 'string'];
const COLUMN_FORMATS = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password'];

function checkColumn(problems: Problems, column: JsonObject, at: string): void {
  const [name, type, format, path] = ['name', 'type', 'format', 'jsonPath'].map(
    (key) => stringAt(column, key) ?? '',
  ) as [string, string, string, string];
  if (name === '') problems.required(`${at}.name`);
  const types = `must be one of ${COLUMN_TYPES.join(',')}`;
  if (type === '') problems.required(`${at}.type`, types);
  else if (!COLUMN_TYPES.includes(type)) problems.invalid(`${at}.type`, type, types);
  if (format !== '' && !COLUMN_FORMATS.includes(format))
    problems.invalid(`${at}.format`, format, `must be one of ${COLUMN_FORMATS.join(',')}`);
  if (path === '') problems.required(`${at}.JSONPath`);
  else if (!path.startsWith('.') || compilePath(path) === undefined)
    problems.invalid(`${at}.JSONPath`, path, 'must be a simple json path starting with .');
}

const MOST_SELECTABLE = 8;

function checkSelectable(
  problems: Problems,
  fields: readonly JsonObject[],
  schema: JsonObject | undefined,
  owner: string,
): void {
  const at = `${owner}.selectableFields`;
  if (schema === undefined) {
    const why =
      owner === 'spec'
        ? 'may only be set when validations.schema is included'
        : 'may only be set when `version.schema.openAPIV3Schema` is not included';
    if (fields.length > 0) problems.invalid(at, '', why);
    return;
  }
  const seen = new Set<string>();
  for (const [index, field] of fields.entries()) {
    const place = `${at}[${index}].jsonPath`;
    const path = stringAt(field, 'jsonPath') ?? '';
    if (path === '') {
      problems.required(place);
      continue;
    }
    const keys = path.replace(/^\./, '').split('.');
    const found = keys.reduce<ReturnType<typeof structuralUnder>>(structuralUnder, readStructural(schema));
    if (found === undefined) {
      problems.invalid(place, path, `is an invalid path: does not refer to a valid field`);
      continue;
    }
    if (keys[0] === 'metadata') problems.invalid(place, path, 'must not point to fields in metadata');
    if (!['string', 'boolean', 'integer'].includes(found.type)) {
      problems.invalid(
        place,
        path,
        'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.',
      );
    }
    if (seen.has(path)) problems.duplicate(place, path);
    seen.add(path);
  }
  if (seen.size > MOST_SELECTABLE)
    problems.list.push({
      field: at,
      type: 'tooMany',
      badValue: seen.size,
      detail: `must have at most ${MOST_SELECTABLE} items`,
    });
}

function checkConversion(problems: Problems, conversion: JsonObject | undefined): void {
  if (conversion === undefined) return;
  const strategy = stringAt(conversion, 'strategy') ?? '';
  checkChoice(problems, 'spec.conversion.strategy', strategy, ['None', 'Webhook']);
  const webhook = objectAt(conversion, 'webhook');
  if (strategy !== 'Webhook') {
    if (objectAt(webhook, 'clientConfig') !== undefined)
      problems.forbidden(
        'spec.conversion.webhookClientConfig',
        'should not be set when strategy is not set to Webhook',
      );
    if (listAt(webhook, 'conversionReviewVersions').length > 0)
      problems.forbidden(
        'spec.conversion.conversionReviewVersions',
        'should not be set when strategy is not set to Webhook',
      );
    return;
  }
  const client = objectAt(webhook, 'clientConfig');
  if (client === undefined)
    problems.required('spec.conversion.webhookClientConfig', 'required when strategy is set to Webhook');
  else if ((client['url'] === undefined) === (client['service'] === undefined)) {
    problems.required('spec.conversion.webhookClientConfig', 'exactly one of url or service is required');
  }
  const reviews = listAt(webhook, 'conversionReviewVersions').map(String);
  if (reviews.length === 0) problems.required('spec.conversion.conversionReviewVersions');
  else if (!reviews.includes('v1') && !reviews.includes('v1beta1')) {
    problems.invalid('spec.conversion.conversionReviewVersions', reviews, 'must include at least one of v1, v1beta1');
  }
}

function checkStored(problems: Problems, stored: readonly string[], versions: readonly JsonObject[]): void {
  const at = 'status.storedVersions';
  if (stored.length === 0) {
    problems.invalid(at, null, 'must have at least one stored version');
    return;
  }
  for (const version of versions) {
    const name = stringAt(version, 'name') ?? '';
    if (version['storage'] === true && !stored.includes(name))
      problems.invalid(at, stored, `must have the storage version ${name}`);
  }
  for (const [index, name] of stored.entries()) {
    if (versions.some((version) => version['name'] === name)) continue;
    problems.invalid(
      `${at}[${index}]`,
      name,
      `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`,
    );
  }
}

/** Groups of the Kubernetes community are for APIs that it has approved (KEP-1111). */
function checkApproval(problems: Problems, object: JsonObject): void {
  const group = stringAt(object['spec'], 'group') ?? '';
  if (!/(?:^|\.)(?:k8s|kubernetes)\.io$/.test(group)) return;
  const approval = stringAt(objectAt(object['metadata'], 'annotations'), APPROVAL) ?? '';
  const field = `metadata.annotations[${APPROVAL}]`;
  const see = 'see https://github.com/kubernetes/enhancements/pull/1111';
  if (approval === '') problems.required(field, `protected groups must have approval annotation "${APPROVAL}", ${see}`);
  else if (!approval.startsWith('unapproved') && !URL.canParse(approval)) {
    problems.invalid(
      field,
      approval,
      `protected groups must have approval annotation "${APPROVAL}" with either a URL or a reason starting with "unapproved", ${see}`,
    );
  }
}
