import { ownValue } from '#pkg/base';
import { type JsonObject, listAt, numberAt, objectAt, objectsAt, stringAt } from '../json.ts';
import type { Problems } from './errors.ts';
import { labelErrors, labelValueErrors, pathSegmentErrors, qualifiedNameErrors, subdomainErrors } from './names.ts';

type NameRule = (name: string) => string[];

/** Kinds whose names are not RFC 1123 subdomains. */
const NAME_RULES: Readonly<Record<string, NameRule>> = {
  '/Namespace': labelErrors,
  '/Service': labelErrors,
  'rbac.authorization.k8s.io/Role': pathSegmentErrors,
  'rbac.authorization.k8s.io/ClusterRole': pathSegmentErrors,
  'rbac.authorization.k8s.io/RoleBinding': pathSegmentErrors,
  'rbac.authorization.k8s.io/ClusterRoleBinding': pathSegmentErrors,
  'apiregistration.k8s.io/APIService': pathSegmentErrors,
};
const ANNOTATIONS_LIMIT = 256 * 1024;
const STANDARD_FINALIZERS = new Set(['kubernetes', 'orphan', 'foregroundDeletion']);

export function nameRuleOf(group: string, kind: string): NameRule {
  return ownValue(NAME_RULES, `${group}/${kind}`) ?? subdomainErrors;
}

/** `ValidateObjectMeta`. `anyFinalizer`: one without a domain is only warned of, as custom resources are. */
export function checkMetadata(
  problems: Problems,
  metadata: JsonObject,
  rule: NameRule,
  at = 'metadata',
  anyFinalizer = false,
): void {
  const generated = stringAt(metadata, 'generateName') ?? '';
  // What follows a generated name's base is fine anyway, so the base may end in a hyphen; upstream does not look at what is before it either.
  if (generated !== '') problems.invalid(`${at}.generateName`, generated, ...rule(generated.replace(/.-$/, 'a')));
  const name = stringAt(metadata, 'name') ?? '';
  if (name === '') problems.required(`${at}.name`, 'name or generateName is required');
  else problems.invalid(`${at}.name`, name, ...rule(name));
  problems.atLeast(`${at}.generation`, numberAt(metadata, 'generation'), 0);
  checkLabels(problems, objectAt(metadata, 'labels'), `${at}.labels`);
  checkAnnotations(problems, objectAt(metadata, 'annotations'), `${at}.annotations`);
  checkOwners(problems, objectsAt(metadata, 'ownerReferences'), `${at}.ownerReferences`);
  const finalizers = listAt(metadata, 'finalizers').map(String);
  for (const finalizer of finalizers)
    problems.invalid(`${at}.finalizers`, finalizer, ...qualifiedNameErrors(finalizer));
  for (const [index, finalizer] of finalizers.entries()) {
    if (anyFinalizer || finalizer.includes('/') || STANDARD_FINALIZERS.has(finalizer)) continue;
    problems.invalid(
      `${at}.finalizers[${index}]`,
      finalizer,
      'name is neither a standard finalizer name nor is it fully qualified',
    );
  }
}

export function checkLabels(problems: Problems, labels: JsonObject | undefined, at: string): void {
  for (const [key, value] of Object.entries(labels ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    problems.invalid(at, key, ...qualifiedNameErrors(key));
    problems.invalid(at, value, ...labelValueErrors(String(value)));
  }
}

export function checkAnnotations(problems: Problems, annotations: JsonObject | undefined, at: string): void {
  let size = 0;
  for (const [key, value] of Object.entries(annotations ?? {})) {
    problems.invalid(at, key, ...qualifiedNameErrors(key.toLowerCase()));
    size += Buffer.byteLength(key) + Buffer.byteLength(String(value));
  }
  if (size > ANNOTATIONS_LIMIT) problems.tooLong(at, ANNOTATIONS_LIMIT);
}

function checkOwners(problems: Problems, owners: readonly JsonObject[], at: string): void {
  for (const owner of owners) {
    const version = stringAt(owner, 'apiVersion') ?? '';
    if (version.split('/').at(-1) === '') problems.invalid(`${at}.apiVersion`, version, 'version must not be empty');
    for (const key of ['kind', 'name', 'uid']) {
      if ((stringAt(owner, key) ?? '') === '') problems.invalid(`${at}.${key}`, '', 'must not be empty');
    }
  }
  const controllers = owners
    .filter((owner) => owner['controller'] === true)
    .map((owner) => `${stringAt(owner, 'kind')}/${stringAt(owner, 'name')}`);
  if (controllers.length > 1) {
    problems.invalid(
      at,
      owners,
      `Only one reference can have Controller set to true. Found "true" in references for ${controllers[0]} and ${controllers[1]}`,
    );
  }
}

/** What an update may not touch (`ValidateObjectMetaUpdate`). */
export function checkMetadataUpdate(problems: Problems, metadata: JsonObject, old: JsonObject): void {
  for (const key of ['name', 'namespace', 'uid']) {
    if ((ownValue(metadata, key) ?? '') !== (ownValue(old, key) ?? ''))
      problems.invalid(`metadata.${key}`, ownValue(metadata, key) ?? '', 'field is immutable');
  }
  if (old['deletionTimestamp'] === undefined) return;
  const before = new Set(listAt(old, 'finalizers'));
  const added = listAt(metadata, 'finalizers').filter((finalizer) => !before.has(finalizer));
  if (added.length === 0) return;
  const found = added
    .map((finalizer) => JSON.stringify(finalizer))
    .toSorted()
    .join(', ');
  problems.forbidden(
    'metadata.finalizers',
    `no new finalizers can be added if the object is being deleted, found new finalizers []string{${found}}`,
  );
}

const OPERATORS = new Set(['In', 'NotIn', 'Exists', 'DoesNotExist']);

/** `ValidateLabelSelector`; whether it is sound. */
export function checkSelector(problems: Problems, selector: JsonObject | undefined, at: string): boolean {
  const before = problems.list.length;
  checkLabels(problems, objectAt(selector, 'matchLabels'), `${at}.matchLabels`);
  for (const [index, expression] of objectsAt(selector, 'matchExpressions').entries()) {
    const place = `${at}.matchExpressions[${index}]`;
    const operator = stringAt(expression, 'operator') ?? '';
    const values = listAt(expression, 'values').map(String);
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length === 0)
        problems.required(`${place}.values`, "must be specified when `operator` is 'In' or 'NotIn'");
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values.length > 0)
        problems.forbidden(`${place}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
    }
    if (!OPERATORS.has(operator)) problems.invalid(`${place}.operator`, operator, 'not a valid selector operator');
    const key = stringAt(expression, 'key') ?? '';
    problems.invalid(`${place}.key`, key, ...qualifiedNameErrors(key));
    for (const [position, value] of values.entries())
      problems.invalid(`${place}.values[${position}]`, value, ...labelValueErrors(value));
  }
  return problems.list.length === before;
}

export function annotationOf(object: JsonObject, key: string): string | undefined {
  return stringAt(objectAt(objectAt(object, 'metadata'), 'annotations'), key);
}
