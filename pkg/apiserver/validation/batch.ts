import { semanticEqual, ownValue } from '#pkg/base';
import { type JsonObject, objectAt, objectsAt, stringAt } from '../json.ts';
import { scheduleError } from './cron.ts';
import type { Problems } from './errors.ts';
import { checkFailurePolicy, checkSuccessPolicy } from './job-policies.ts';
import { checkSelector } from './metadata.ts';
import { checkTemplate } from './pods.ts';
import { checkTemplateLabels } from './workloads.ts';

const NOT_NEGATIVE = [
  'parallelism',
  'completions',
  'activeDeadlineSeconds',
  'backoffLimit',
  'ttlSecondsAfterFinished',
  'backoffLimitPerIndex',
  'maxFailedIndexes',
];
const LABEL_LIMIT = 63;
/** A CronJob names its Jobs with eleven more characters. */
const CRON_JOB_NAME_LIMIT = 52;
const IMMUTABLE = 'field is immutable';

export function checkJob(problems: Problems, job: JsonObject): void {
  const spec = objectAt(job, 'spec') ?? {};
  if (spec['manualSelector'] !== true) checkGeneratedSelector(problems, job, spec);
  checkJobSpec(problems, spec, 'spec');
  if (objectAt(spec, 'selector') === undefined) problems.required('spec.selector');
  else {
    checkSelector(problems, objectAt(spec, 'selector'), 'spec.selector');
    checkTemplateLabels(problems, spec);
  }
}

/** Unless it was asked for, nobody but the server makes the selector. */
function checkGeneratedSelector(problems: Problems, job: JsonObject, spec: JsonObject): void {
  const uid = objectAt(job, 'metadata')?.['uid'];
  const wanted = { matchLabels: { 'batch.kubernetes.io/controller-uid': uid } };
  const selector = objectAt(spec, 'selector');
  const legacy = { matchLabels: { 'controller-uid': uid } };
  if (!semanticEqual(selector, wanted) && !semanticEqual(selector, legacy))
    problems.invalid('spec.selector', selector, '`selector` not auto-generated');
}

export function checkJobSpec(problems: Problems, spec: JsonObject, at: string): void {
  for (const key of NOT_NEGATIVE) problems.atLeast(`${at}.${key}`, ownValue(spec, key), 0);
  const mode = spec['completionMode'];
  problems.oneOf(`${at}.completionMode`, mode, ['NonIndexed', 'Indexed']);
  if (mode === 'Indexed' && spec['completions'] === undefined)
    problems.required(`${at}.completions`, 'when completion mode is Indexed');
  if (mode !== 'Indexed') {
    for (const key of ['backoffLimitPerIndex', 'maxFailedIndexes']) {
      if (ownValue(spec, key) !== undefined)
        problems.invalid(`${at}.${key}`, ownValue(spec, key), 'requires indexed completion mode');
    }
  }
  if (spec['maxFailedIndexes'] !== undefined && spec['backoffLimitPerIndex'] === undefined) {
    problems.required(`${at}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified');
  }
  checkFailurePolicy(problems, spec, at);
  checkSuccessPolicy(problems, spec, at);
  const replacements = spec['podFailurePolicy'] === undefined ? ['Failed', 'TerminatingOrFailed'] : ['Failed'];
  problems.oneOf(`${at}.podReplacementPolicy`, spec['podReplacementPolicy'], replacements);
  checkTemplate(problems, objectAt(spec, 'template'), `${at}.template`);
  const policy = stringAt(objectAt(objectAt(spec, 'template'), 'spec'), 'restartPolicy') ?? '';
  if (policy === 'Always' || policy === '')
    problems.required(`${at}.template.spec.restartPolicy`, 'valid values: "OnFailure", "Never"');
  else if (policy === 'OnFailure' && spec['podFailurePolicy'] !== undefined) {
    problems.invalid(
      `${at}.template.spec.restartPolicy`,
      policy,
      'only "Never" is supported when podFailurePolicy is specified',
    );
  }
}

export function checkCronJob(problems: Problems, cronJob: JsonObject): void {
  const name = stringAt(objectAt(cronJob, 'metadata'), 'name') ?? '';
  const spec = objectAt(cronJob, 'spec') ?? {};
  checkSchedule(problems, spec);
  problems.atLeast('spec.startingDeadlineSeconds', spec['startingDeadlineSeconds'], 0);
  problems.oneOf('spec.concurrencyPolicy', spec['concurrencyPolicy'], ['Allow', 'Forbid', 'Replace']);
  if ((stringAt(spec, 'concurrencyPolicy') ?? '') === '') problems.required('spec.concurrencyPolicy');
  checkJobSpec(problems, objectAt(objectAt(spec, 'jobTemplate'), 'spec') ?? {}, 'spec.jobTemplate.spec');
  problems.atLeast('spec.successfulJobsHistoryLimit', spec['successfulJobsHistoryLimit'], 0);
  problems.atLeast('spec.failedJobsHistoryLimit', spec['failedJobsHistoryLimit'], 0);
  if (name.length > CRON_JOB_NAME_LIMIT && name.length <= LABEL_LIMIT * 4) {
    problems.invalid('metadata.name', name, `must be no more than ${CRON_JOB_NAME_LIMIT} characters`);
  }
}

function checkSchedule(problems: Problems, spec: JsonObject): void {
  const schedule = stringAt(spec, 'schedule') ?? '';
  if (schedule === '') problems.required('spec.schedule');
  else if (schedule.includes('TZ')) {
    problems.invalid('spec.schedule', schedule, 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead');
  } else {
    const error = scheduleError(schedule);
    if (error !== undefined) problems.invalid('spec.schedule', schedule, error);
  }
  const zone = stringAt(spec, 'timeZone');
  if (zone === undefined) return;
  if (zone === '') problems.invalid('spec.timeZone', zone, 'timeZone must be nil or non-empty string');
  else if (zone.toLowerCase() === 'local')
    problems.invalid(
      'spec.timeZone',
      zone,
      'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones',
    );
  else if (!isTimeZone(zone)) problems.invalid('spec.timeZone', zone, `unknown time zone ${zone}`);
}

function isTimeZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/**
 * What is fixed once a Job exists (`ValidateJobSpecUpdate`). While it is suspended and none of its Pods is active, labels,
 * annotations, scheduling directives and resources of its template may still change.
 */
export function checkJobUpdate(problems: Problems, job: JsonObject, old: JsonObject): void {
  const spec = objectAt(job, 'spec') ?? {};
  const before = objectAt(old, 'spec') ?? {};
  const elastic = spec['completionMode'] === 'Indexed' && spec['completions'] === spec['parallelism'];
  if (!elastic && spec['completions'] !== before['completions'])
    problems.invalid('spec.completions', spec['completions'], IMMUTABLE);
  if (!semanticEqual(spec['selector'], before['selector']))
    problems.invalid('spec.selector', spec['selector'], IMMUTABLE);
  const loose = before['suspend'] === true && hasStopped(objectAt(old, 'status') ?? {});
  if (!semanticEqual(fixedPart(spec['template'], loose), fixedPart(before['template'], loose))) {
    problems.invalid('spec.template', spec['template'], IMMUTABLE);
  }
  for (const key of ['completionMode', 'podFailurePolicy', 'backoffLimitPerIndex', 'managedBy', 'successPolicy']) {
    if (!semanticEqual(ownValue(spec, key), ownValue(before, key)))
      problems.invalid(`spec.${key}`, ownValue(spec, key), IMMUTABLE);
  }
}

/** It has not started, or says that it is suspended, with nothing at work any more. */
function hasStopped(status: JsonObject): boolean {
  const suspended = objectsAt(status, 'conditions').some(
    ({ type, status: value }) => type === 'Suspended' && value === 'True',
  );
  return (status['startTime'] === undefined || suspended) && (status['active'] ?? 0) === 0;
}

/** The template without what may change. */
function fixedPart(template: unknown, loose: boolean): unknown {
  const spec = objectAt(template, 'spec');
  if (!loose || spec === undefined) return template;
  const { nodeSelector: _selector, tolerations: _tolerations, affinity, schedulingGates: _gates, ...rest } = spec;
  const { nodeAffinity: _node, ...otherAffinity } = objectAt({ affinity }, 'affinity') ?? {};
  const withoutResources = (key: string): JsonObject[] =>
    objectsAt(spec, key).map(({ resources: _resources, ...container }) => container);
  return {
    ...rest,
    affinity: otherAffinity,
    containers: withoutResources('containers'),
    initContainers: withoutResources('initContainers'),
  };
}
