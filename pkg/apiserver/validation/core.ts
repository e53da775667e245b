import { semanticEqual, ownValue } from '#pkg/base';
import { type JsonObject, objectAt, stringAt } from '../json.ts';
import { scanJson } from '../decode/index.ts';
import type { Problems } from './errors.ts';
import { annotationOf } from './metadata.ts';
import { configKeyErrors } from './names.ts';
import { checkNotNegative, checkResourceName } from './resources.ts';

const DATA_LIMIT = 1024 * 1024;
const IMMUTABLE = 'field is immutable when `immutable` is set';

export function checkConfigMap(problems: Problems, object: JsonObject): void {
  const data = objectAt(object, 'data') ?? {};
  const binary = objectAt(object, 'binaryData') ?? {};
  let size = 0;
  for (const [key, value] of Object.entries(data)) {
    problems.invalid(`data[${key}]`, key, ...configKeyErrors(key));
    if (Object.hasOwn(binary, key)) problems.invalid(`data[${key}]`, key, 'duplicate of key present in binaryData');
    size += Buffer.byteLength(String(value));
  }
  for (const [key, value] of Object.entries(binary)) {
    problems.invalid(`binaryData[${key}]`, key, ...configKeyErrors(key));
    size += Buffer.byteLength(String(value), 'base64');
  }
  if (size > DATA_LIMIT) problems.tooLong('', DATA_LIMIT);
}

/** Keys without which a Secret of a type is of no use. */
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
};
const ACCOUNT = 'kubernetes.io/service-account.name';

export function checkSecret(problems: Problems, object: JsonObject): void {
  const data = objectAt(object, 'data') ?? {};
  const type = stringAt(object, 'type') ?? '';
  let size = 0;
  for (const [key, value] of Object.entries(data)) {
    problems.invalid(`data[${key}]`, key, ...configKeyErrors(key));
    size += Buffer.byteLength(String(value), 'base64');
  }
  if (size > DATA_LIMIT) problems.tooLong('data', DATA_LIMIT);
  for (const key of ownValue(NEEDED, type) ?? []) {
    if (ownValue(data, key) === undefined) problems.required(`data[${key}]`);
    else if (key.startsWith('.docker')) checkJsonValue(problems, key, stringAt(data, key) ?? '');
  }
  if (type === 'kubernetes.io/basic-auth' && data['username'] === undefined && data['password'] === undefined) {
    problems.required('data[username]');
    problems.required('data[password]');
  }
  if (type === 'kubernetes.io/service-account-token' && (annotationOf(object, ACCOUNT) ?? '') === '')
    problems.required(`metadata.annotations[${ACCOUNT}]`);
}

function checkJsonValue(problems: Problems, key: string, encoded: string): void {
  const { error } = scanJson(Buffer.from(encoded, 'base64').toString('utf8'));
  if (error !== undefined) problems.invalid(`data[${key}]`, '<secret contents redacted>', error);
}

export function checkSecretUpdate(problems: Problems, object: JsonObject, old: JsonObject): void {
  const [is, was] = [stringAt(object, 'type') ?? '', stringAt(old, 'type') ?? ''];
  if (is !== was) problems.invalid('type', is, 'field is immutable');
  checkImmutable(problems, object, old, ['data']);
}

export function checkImmutable(problems: Problems, object: JsonObject, old: JsonObject, keys: readonly string[]): void {
  if (old['immutable'] !== true) return;
  if (object['immutable'] !== true) problems.forbidden('immutable', IMMUTABLE);
  for (const key of keys)
    if (!semanticEqual(ownValue(object, key), ownValue(old, key))) problems.forbidden(key, IMMUTABLE);
}

const QUOTA_RESOURCES = new Set([
  'cpu',
  'memory',
  'ephemeral-storage',
  'requests.cpu',
  'requests.memory',
  'requests.storage',
  'requests.ephemeral-storage',
  'limits.cpu',
  'limits.memory',
  'limits.ephemeral-storage',
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'persistentvolumeclaims',
  'configmaps',
  'services.nodeports',
  'services.loadbalancers',
]);

export function checkQuota(problems: Problems, object: JsonObject): void {
  for (const [name, amount] of Object.entries(objectAt(objectAt(object, 'spec'), 'hard') ?? {})) {
    const at = `spec.hard[${name}]`;
    checkResourceName(
      problems,
      name,
      at,
      'quota',
      (one) => QUOTA_RESOURCES.has(one) || /^(requests\.|limits\.)?hugepages-/.test(one),
    );
    checkNotNegative(problems, amount, at);
  }
}
