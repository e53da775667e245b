import { isIP } from 'node:net';
import { semanticEqual } from '#pkg/base';
import { type JsonObject, listAt, numberAt, objectAt, objectsAt, stringAt } from '../json.ts';
import { checkPort } from './containers.ts';
import type { Problems } from './errors.ts';
import { checkSelector } from './metadata.ts';
import { pathSegmentErrors, subdomainErrors, wildcardErrors } from './names.ts';

const RBAC_GROUP = 'rbac.authorization.k8s.io';

export function checkRole(problems: Problems, role: JsonObject, namespaced: boolean): void {
  for (const [index, rule] of objectsAt(role, 'rules').entries()) {
    const at = `rules[${index}]`;
    if (listAt(rule, 'verbs').length === 0) problems.required(`${at}.verbs`, 'verbs must contain at least one value');
    const urls = listAt(rule, 'nonResourceURLs');
    if (urls.length > 0) {
      if (namespaced)
        problems.invalid(`${at}.nonResourceURLs`, urls, 'namespaced rules cannot apply to non-resource URLs');
      else if (['apiGroups', 'resources', 'resourceNames'].some((key) => listAt(rule, key).length > 0)) {
        problems.invalid(
          `${at}.nonResourceURLs`,
          urls,
          'rules cannot apply to both regular resources and non-resource URLs',
        );
      }
      continue;
    }
    if (listAt(rule, 'apiGroups').length === 0)
      problems.required(`${at}.apiGroups`, 'resource rules must supply at least one api group');
    if (listAt(rule, 'resources').length === 0)
      problems.required(`${at}.resources`, 'resource rules must supply at least one resource');
  }
}

export function checkRoleBinding(problems: Problems, binding: JsonObject, namespaced: boolean): void {
  const role = objectAt(binding, 'roleRef') ?? {};
  problems.oneOf('roleRef.apiGroup', role['apiGroup'], [RBAC_GROUP]);
  const kinds = namespaced ? ['Role', 'ClusterRole'] : ['ClusterRole'];
  const kind = stringAt(role, 'kind') ?? '';
  if (!kinds.includes(kind)) problems.unsupported('roleRef.kind', kind, kinds);
  const name = stringAt(role, 'name') ?? '';
  if (name === '') problems.required('roleRef.name');
  else problems.invalid('roleRef.name', name, ...pathSegmentErrors(name));
  for (const [index, subject] of objectsAt(binding, 'subjects').entries())
    checkSubject(problems, subject, `subjects[${index}]`, namespaced);
}

function checkSubject(problems: Problems, subject: JsonObject, at: string, namespaced: boolean): void {
  const name = stringAt(subject, 'name') ?? '';
  const group = stringAt(subject, 'apiGroup') ?? '';
  const kind = stringAt(subject, 'kind') ?? '';
  if (name === '') problems.required(`${at}.name`);
  if (kind === 'ServiceAccount') {
    if (name !== '') problems.invalid(`${at}.name`, name, ...subdomainErrors(name));
    if (group !== '') problems.unsupported(`${at}.apiGroup`, group, ['']);
    if (!namespaced && (stringAt(subject, 'namespace') ?? '') === '') problems.required(`${at}.namespace`);
  } else if (kind === 'User' || kind === 'Group') {
    if (group !== RBAC_GROUP) problems.unsupported(`${at}.apiGroup`, group, [RBAC_GROUP]);
  } else problems.unsupported(`${at}.kind`, kind, ['ServiceAccount', 'User', 'Group']);
}

export function checkRoleReferenceKept(problems: Problems, binding: JsonObject, old: JsonObject): void {
  const role = objectAt(binding, 'roleRef') ?? {};
  if (semanticEqual(role, old['roleRef'])) return;
  const shown = { APIGroup: role['apiGroup'] ?? '', Kind: role['kind'] ?? '', Name: role['name'] ?? '' };
  problems.invalid('roleRef', shown, 'cannot change roleRef');
}

export function checkLease(problems: Problems, object: JsonObject): void {
  const spec = objectAt(object, 'spec') ?? {};
  problems.atLeast('spec.leaseDurationSeconds', spec['leaseDurationSeconds'], 1, 'must be greater than 0');
  problems.atLeast('spec.leaseTransitions', spec['leaseTransitions'], 0);
}

export function checkAutoscaler(problems: Problems, object: JsonObject): void {
  const spec = objectAt(object, 'spec') ?? {};
  const min = numberAt(spec, 'minReplicas');
  const max = numberAt(spec, 'maxReplicas') ?? 0;
  problems.atLeast('spec.minReplicas', min, 1);
  if (max < 1) problems.required('spec.maxReplicas', 'must be set and greater than 0');
  if (min !== undefined && max < min && max >= 1)
    problems.invalid('spec.maxReplicas', max, 'must be greater than or equal to `minReplicas`');
  const target = objectAt(spec, 'scaleTargetRef');
  for (const key of ['kind', 'name']) {
    const value = stringAt(target, key) ?? '';
    if (value === '') problems.required(`spec.scaleTargetRef.${key}`);
    else problems.invalid(`spec.scaleTargetRef.${key}`, value, ...pathSegmentErrors(value));
  }
  const version = stringAt(target, 'apiVersion') ?? '';
  if (!version.includes('/'))
    problems.invalid('spec.scaleTargetRef.apiVersion', version, 'apiVersion must specify API group');
  const scalesToZero = objectsAt(spec, 'metrics').some(
    (metric) => metric['type'] === 'Object' || metric['type'] === 'External',
  );
  if (min === 0 && !scalesToZero) {
    problems.forbidden(
      'spec.metrics',
      'must specify at least one Object or External metric to support scaling to zero replicas',
    );
  }
}

export function checkIngress(problems: Problems, object: JsonObject): void {
  const spec = objectAt(object, 'spec') ?? {};
  const rules = objectsAt(spec, 'rules');
  if (rules.length === 0 && objectAt(spec, 'defaultBackend') === undefined) {
    problems.invalid('spec', null, 'either `defaultBackend` or `rules` must be specified');
  }
  for (const [index, rule] of rules.entries()) {
    const at = `spec.rules[${index}]`;
    const host = stringAt(rule, 'host') ?? '';
    if (isIP(host) !== 0) problems.invalid(`${at}.host`, host, 'must be a DNS name, not an IP address');
    else if (host !== '')
      problems.invalid(`${at}.host`, host, ...(host.includes('*') ? wildcardErrors(host) : subdomainErrors(host)));
    const http = objectAt(rule, 'http');
    if (http !== undefined && listAt(http, 'paths').length === 0) problems.required(`${at}.http.paths`);
    for (const [position, path] of objectsAt(http, 'paths').entries())
      checkIngressPath(problems, path, `${at}.http.paths[${position}]`);
  }
}

const PATH_TYPES = ['Exact', 'ImplementationSpecific', 'Prefix'];

function checkIngressPath(problems: Problems, path: JsonObject, at: string): void {
  const type = stringAt(path, 'pathType');
  const value = stringAt(path, 'path') ?? '';
  if (type === undefined) {
    problems.required(`${at}.pathType`, 'pathType must be specified');
    return;
  }
  problems.oneOf(`${at}.pathType`, type, PATH_TYPES);
  if (type !== 'ImplementationSpecific' && !value.startsWith('/'))
    problems.invalid(`${at}.path`, value, 'must be an absolute path');
  else if (value !== '' && !value.startsWith('/')) problems.invalid(`${at}.path`, value, 'must be an absolute path');
  const service = objectAt(objectAt(path, 'backend'), 'service');
  if (service === undefined && objectAt(objectAt(path, 'backend'), 'resource') === undefined) {
    problems.required(`${at}.backend`, 'resource or service backend is required');
  }
}

export function checkNetworkPolicy(problems: Problems, object: JsonObject): void {
  const spec = objectAt(object, 'spec') ?? {};
  checkSelector(problems, objectAt(spec, 'podSelector'), 'spec.podSelector');
  for (const [direction, peers] of [
    ['ingress', 'from'],
    ['egress', 'to'],
  ] as const) {
    for (const [index, rule] of objectsAt(spec, direction).entries()) {
      const at = `spec.${direction}[${index}]`;
      for (const [position, port] of objectsAt(rule, 'ports').entries()) {
        problems.oneOf(`${at}.ports[${position}].protocol`, port['protocol'], ['TCP', 'UDP', 'SCTP']);
        if (port['port'] !== undefined) checkPort(problems, port['port'], `${at}.ports[${position}].port`);
      }
      for (const [position, peer] of objectsAt(rule, peers).entries()) {
        if (Object.keys(peer).length === 0) problems.required(`${at}.${peers}[${position}]`, 'must specify a peer');
        for (const key of ['podSelector', 'namespaceSelector'])
          checkSelector(problems, objectAt(peer, key), `${at}.${peers}[${position}].${key}`);
      }
    }
  }
  for (const [index, type] of listAt(spec, 'policyTypes').entries())
    problems.oneOf(`spec.policyTypes[${index}]`, type, ['Ingress', 'Egress']);
}

const HIGHEST_USER_PRIORITY = 1_000_000_000;

export function checkPriorityClass(problems: Problems, object: JsonObject): void {
  const name = stringAt(objectAt(object, 'metadata'), 'name') ?? '';
  if (!name.startsWith('system-') && (numberAt(object, 'value') ?? 0) > HIGHEST_USER_PRIORITY) {
    problems.forbidden('value', `maximum allowed value of a user defined priority is ${HIGHEST_USER_PRIORITY}`);
  }
  problems.oneOf('preemptionPolicy', object['preemptionPolicy'], ['PreemptLowerPriority', 'Never']);
}
