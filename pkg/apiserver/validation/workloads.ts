import { SelectorError, compileSelector } from '#pkg/api';
import { semanticEqual, ownValue } from '#pkg/base';
import { type JsonObject, numberAt, objectAt, objectsAt, stringAt } from '../json.ts';
import type { Problems } from './errors.ts';
import { checkSelector } from './metadata.ts';
import { percentageErrors } from './names.ts';
import { checkTemplate } from './pods.ts';
import { checkClaimSpec } from './storage.ts';

const IMMUTABLE = 'field is immutable';

export function checkDeployment(problems: Problems, spec: JsonObject): void {
  problems.atLeast('spec.replicas', spec['replicas'], 0);
  checkWorkloadSelector(problems, spec, 'deployment', true);
  checkTemplateFor(problems, spec);
  checkDeploymentStrategy(problems, objectAt(spec, 'strategy') ?? {});
  problems.atLeast('spec.minReadySeconds', spec['minReadySeconds'], 0);
  problems.atLeast('spec.revisionHistoryLimit', spec['revisionHistoryLimit'], 0);
  const deadline = numberAt(spec, 'progressDeadlineSeconds');
  if (deadline === undefined) return;
  problems.atLeast('spec.progressDeadlineSeconds', deadline, 0);
  if (deadline <= (numberAt(spec, 'minReadySeconds') ?? 0)) {
    problems.invalid('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds');
  }
}

export function checkReplicaSet(problems: Problems, spec: JsonObject): void {
  problems.atLeast('spec.replicas', spec['replicas'], 0);
  problems.atLeast('spec.minReadySeconds', spec['minReadySeconds'], 0);
  checkWorkloadSelector(problems, spec, 'deployment', true);
  checkTemplateFor(problems, spec);
}

export function checkReplicationController(problems: Problems, spec: JsonObject): void {
  problems.atLeast('spec.replicas', spec['replicas'], 0);
  problems.atLeast('spec.minReadySeconds', spec['minReadySeconds'], 0);
  const selector = objectAt(spec, 'selector') ?? {};
  if (Object.keys(selector).length === 0) problems.required('spec.selector');
  if (objectAt(spec, 'template') === undefined) problems.required('spec.template');
  else checkTemplateFor(problems, { ...spec, selector: { matchLabels: selector } });
}

export function checkStatefulSet(problems: Problems, spec: JsonObject): void {
  const management = spec['podManagementPolicy'];
  if (management !== 'OrderedReady' && management !== 'Parallel') {
    problems.invalid('spec.podManagementPolicy', management, "must be 'OrderedReady' or 'Parallel'");
  }
  checkStatefulSetStrategy(problems, objectAt(spec, 'updateStrategy') ?? {});
  const retention = objectAt(spec, 'persistentVolumeClaimRetentionPolicy');
  for (const key of ['whenDeleted', 'whenScaled']) {
    problems.oneOf(`spec.persistentVolumeClaimRetentionPolicy.${key}`, ownValue(retention, key), ['Retain', 'Delete']);
  }
  problems.atLeast('spec.replicas', spec['replicas'], 0);
  problems.atLeast('spec.minReadySeconds', spec['minReadySeconds'], 0);
  problems.atLeast('spec.revisionHistoryLimit', spec['revisionHistoryLimit'], 0);
  problems.atLeast('spec.ordinals.start', objectAt(spec, 'ordinals')?.['start'], 0);
  checkWorkloadSelector(problems, spec, 'statefulset', true);
  checkTemplateFor(problems, { ...spec, template: withClaimVolumes(spec) });
  for (const [index, claim] of objectsAt(spec, 'volumeClaimTemplates').entries()) {
    checkClaimSpec(problems, objectAt(claim, 'spec') ?? {}, `spec.volumeClaimTemplates[${index}].spec`);
  }
}

/** The template with the volumes that its Pods get of their claims: containers may mount them. */
function withClaimVolumes(spec: JsonObject): JsonObject | undefined {
  const template = objectAt(spec, 'template');
  const names = objectsAt(spec, 'volumeClaimTemplates').map(
    (claim) => stringAt(objectAt(claim, 'metadata'), 'name') ?? '',
  );
  const pod = objectAt(template, 'spec');
  if (pod === undefined || names.length === 0) return template;
  const others = objectsAt(pod, 'volumes').filter((volume) => !names.includes(stringAt(volume, 'name') ?? ''));
  const volumes = [...names.map((name) => ({ name, persistentVolumeClaim: { claimName: name } })), ...others];
  return { ...template, spec: { ...pod, volumes } };
}

export function checkDaemonSet(problems: Problems, spec: JsonObject): void {
  checkWorkloadSelector(problems, spec, 'daemonset', false);
  checkTemplateFor(problems, spec);
  problems.atLeast('spec.minReadySeconds', spec['minReadySeconds'], 0);
  const strategy = objectAt(spec, 'updateStrategy') ?? {};
  const rolling = objectAt(strategy, 'rollingUpdate');
  if (strategy['type'] === 'RollingUpdate') {
    if (rolling === undefined) problems.required('spec.updateStrategy.rollingUpdate');
    else checkDaemonSetRolling(problems, rolling, 'spec.updateStrategy.rollingUpdate');
  } else if (strategy['type'] !== 'OnDelete')
    problems.unsupported('spec.updateStrategy', asGo(strategy), ['RollingUpdate', 'OnDelete']);
  problems.atLeast('spec.revisionHistoryLimit', spec['revisionHistoryLimit'], 0);
}

function checkDaemonSetRolling(problems: Problems, rolling: JsonObject, at: string): void {
  const unavailable = rolling['maxUnavailable'];
  const surge = rolling['maxSurge'];
  checkIntOrPercent(problems, unavailable, `${at}.maxUnavailable`);
  checkIntOrPercent(problems, surge, `${at}.maxSurge`);
  if (isZero(unavailable) && isZero(surge)) problems.required(`${at}.maxUnavailable`, 'cannot be 0 when maxSurge is 0');
  if (!isZero(unavailable) && !isZero(surge))
    problems.invalid(`${at}.maxSurge`, surge, 'may not be set when maxUnavailable is non-zero');
  checkWithinWhole(problems, unavailable, `${at}.maxUnavailable`);
  checkWithinWhole(problems, surge, `${at}.maxSurge`);
}

/** What every workload asks of its selector: there, not empty, sound. */
function checkWorkloadSelector(problems: Problems, spec: JsonObject, kind: string, required: boolean): void {
  const selector = objectAt(spec, 'selector');
  if (selector === undefined) {
    if (required) problems.required('spec.selector');
    return;
  }
  const sound = checkSelector(problems, selector, 'spec.selector');
  if (!sound) problems.invalid('spec.selector', selector, kind === 'statefulset' ? '' : 'invalid label selector');
  else if (isEmptySelector(selector)) problems.invalid('spec.selector', {}, `empty selector is invalid for ${kind}`);
}

function isEmptySelector(selector: JsonObject): boolean {
  return (
    Object.keys(objectAt(selector, 'matchLabels') ?? {}).length === 0 &&
    objectsAt(selector, 'matchExpressions').length === 0
  );
}

/** The template carries the selector's labels, and its Pods run for ever. */
function checkTemplateFor(problems: Problems, spec: JsonObject): void {
  const template = objectAt(spec, 'template');
  checkTemplateLabels(problems, spec);
  checkTemplate(problems, template, 'spec.template');
  const policy = stringAt(objectAt(template, 'spec'), 'restartPolicy');
  if (policy === 'OnFailure' || policy === 'Never')
    problems.unsupported('spec.template.spec.restartPolicy', policy, ['Always']);
}

export function checkTemplateLabels(problems: Problems, spec: JsonObject, at = 'spec'): void {
  const labels = objectAt(objectAt(objectAt(spec, 'template'), 'metadata'), 'labels');
  const selector = objectAt(spec, 'selector');
  if (selector !== undefined && isEmptySelector(selector)) return;
  try {
    if (selector !== undefined && compileSelector(selector).matches(labels as Record<string, string> | undefined))
      return;
  } catch (error) {
    if (!(error instanceof SelectorError)) throw error;
    // Its form was found wanting already.
    return;
  }
  problems.invalid(`${at}.template.metadata.labels`, labels, '`selector` does not match template `labels`');
}

function checkDeploymentStrategy(problems: Problems, strategy: JsonObject): void {
  const rolling = objectAt(strategy, 'rollingUpdate');
  const at = 'spec.strategy';
  if (strategy['type'] === 'Recreate') {
    if (rolling !== undefined)
      problems.forbidden(`${at}.rollingUpdate`, "may not be specified when strategy `type` is 'Recreate'");
    return;
  }
  if (strategy['type'] !== 'RollingUpdate') {
    problems.unsupported(at, asGo(strategy), ['Recreate', 'RollingUpdate']);
    return;
  }
  if (rolling === undefined) {
    problems.required(`${at}.rollingUpdate`, "this should be defaulted and never be nil when type is 'RollingUpdate'");
    return;
  }
  const unavailable = rolling['maxUnavailable'];
  const surge = rolling['maxSurge'];
  checkIntOrPercent(problems, unavailable, `${at}.rollingUpdate.maxUnavailable`);
  checkIntOrPercent(problems, surge, `${at}.rollingUpdate.maxSurge`);
  if (isZero(unavailable) && isZero(surge)) {
    problems.invalid(`${at}.rollingUpdate.maxUnavailable`, unavailable, 'may not be 0 when `maxSurge` is 0');
  }
  checkWithinWhole(problems, unavailable, `${at}.rollingUpdate.maxUnavailable`);
}

function checkStatefulSetStrategy(problems: Problems, strategy: JsonObject): void {
  const at = 'spec.updateStrategy';
  const rolling = objectAt(strategy, 'rollingUpdate');
  if (strategy['type'] === 'OnDelete') {
    if (rolling === undefined) return;
    const shown = { Partition: rolling['partition'] ?? 0, MaxUnavailable: rolling['maxUnavailable'] ?? null };
    problems.invalid(`${at}.rollingUpdate`, shown, "only allowed for updateStrategy 'RollingUpdate'");
  } else if (strategy['type'] === 'RollingUpdate') {
    problems.atLeast(`${at}.rollingUpdate.partition`, rolling?.['partition'], 0);
    if (rolling?.['maxUnavailable'] !== undefined)
      checkIntOrPercent(problems, rolling['maxUnavailable'], `${at}.rollingUpdate.maxUnavailable`);
  } else problems.invalid(at, asGo(strategy), "must be 'RollingUpdate' or 'OnDelete'");
}

/** A strategy as the server's own types print it. */
function asGo(strategy: JsonObject): JsonObject {
  return { Type: strategy['type'] ?? '', RollingUpdate: strategy['rollingUpdate'] ?? null };
}

export function checkIntOrPercent(problems: Problems, value: unknown, at: string): void {
  if (typeof value === 'string') problems.invalid(at, value, ...percentageErrors(value));
  else problems.atLeast(at, value, 0);
}

function isZero(value: unknown): boolean {
  return value === undefined || value === 0 || value === '0%';
}

export function checkWithinWhole(problems: Problems, value: unknown, at: string): void {
  if (typeof value !== 'string' || percentageErrors(value).length > 0) return;
  if (Number.parseInt(value, 10) > 100) problems.invalid(at, value, 'must not be greater than 100%');
}

export function checkSelectorKept(problems: Problems, spec: JsonObject, old: JsonObject): void {
  if (!semanticEqual(spec['selector'], old['selector'])) problems.invalid('spec.selector', spec['selector'], IMMUTABLE);
}

const STATEFUL_FREE = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
];

export function checkStatefulSetUpdate(problems: Problems, spec: JsonObject, old: JsonObject): void {
  const put = Object.fromEntries(STATEFUL_FREE.map((key) => [key, ownValue(old, key)]));
  if (semanticEqual({ ...spec, ...put }, old)) return;
  const names = STATEFUL_FREE.map((key) => `'${key}'`);
  const listed = `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
  problems.forbidden('spec', `updates to statefulset spec for fields other than ${listed} are forbidden`);
}
