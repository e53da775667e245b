import { semanticEqual, ownValue } from '#pkg/base';
import { type JsonObject, listAt, numberAt, objectAt, objectsAt, stringAt } from '../json.ts';
import type { Problems } from './errors.ts';
import { readIndexes } from './job-indexes.ts';

const COUNTS = ['active', 'succeeded', 'failed', 'ready', 'terminating'];
const TERMINAL = ['Failed', 'Complete', 'FailureTarget'];

/** A Job's status as the rules look at it. */
class StatusView {
  readonly raw: JsonObject;
  readonly indexed: boolean;
  readonly completions: number | undefined;

  constructor(job: JsonObject) {
    const spec = objectAt(job, 'spec') ?? {};
    this.raw = objectAt(job, 'status') ?? {};
    this.indexed = spec['completionMode'] === 'Indexed';
    this.completions = numberAt(spec, 'completions');
  }

  is(type: string): boolean {
    return objectsAt(this.raw, 'conditions').some(
      (condition) => condition['type'] === type && condition['status'] === 'True',
    );
  }

  get finished(): boolean {
    return this.is('Complete') || this.is('Failed');
  }

  count(name: string): number {
    return numberAt(this.raw, name) ?? 0;
  }

  time(name: string): string | undefined {
    return stringAt(this.raw, name);
  }
}

/**
 * What a controller may not write into a Job's status; rules about a field hold only where it changes, so that a Job that
 * breaks one already can be mended step by step (`ValidateJobStatusUpdate`, and `getStatusValidationOptions` of the strategy).
 */
export function checkJobStatus(problems: Problems, job: JsonObject, old: JsonObject): void {
  const [now, before] = [new StatusView(job), new StatusView(old)];
  const changed = (name: string): boolean => !semanticEqual(ownValue(now.raw, name), ownValue(before.raw, name));
  const turned = (type: string): boolean => now.is(type) !== before.is(type);
  for (const name of COUNTS) problems.atLeast(`status.${name}`, ownValue(now.raw, name), 0);
  checkUncounted(problems, now.raw);
  checkEndings(problems, job, now, turned);
  checkTimes(problems, job, now, before, changed, turned);
  checkFinished(problems, now, now.finished !== before.finished, changed);
  checkIndexes(problems, job, now, changed);
  if ((changed('ready') || changed('active')) && now.count('ready') > now.count('active')) {
    problems.invalid('status.ready', now.count('ready'), 'cannot set more ready pods than active');
  }
  for (const type of TERMINAL) {
    if (before.is(type) && !now.is(type))
      problems.wrong('status.conditions', `cannot disable the terminal ${type}=True condition`);
  }
  if (before.is('SuccessCriteriaMet') && !now.is('SuccessCriteriaMet')) {
    problems.wrong('status.conditions', 'cannot disable the SuccessCriteriaMet=True condition');
  }
  if (now.count('failed') < before.count('failed'))
    problems.invalid('status.failed', now.count('failed'), 'cannot decrease the failed counter');
  const shrinks = now.indexed && now.completions === numberAt(objectAt(job, 'spec'), 'parallelism');
  if (!shrinks && now.count('succeeded') < before.count('succeeded')) {
    problems.invalid('status.succeeded', now.count('succeeded'), 'cannot decrease the succeeded counter');
  }
}

function checkUncounted(problems: Problems, status: JsonObject): void {
  const uncounted = objectAt(status, 'uncountedTerminatedPods');
  const seen = new Set<unknown>();
  for (const list of ['succeeded', 'failed']) {
    for (const [index, uid] of listAt(uncounted, list).entries()) {
      const at = `status.uncountedTerminatedPods.${list}[${index}]`;
      if (uid === '') problems.invalid(at, uid, 'must not be empty');
      else if (seen.has(uid)) problems.duplicate(at, uid);
      seen.add(uid);
    }
  }
}

function checkEndings(problems: Problems, job: JsonObject, now: StatusView, turned: (type: string) => boolean): void {
  const say = (detail: string): void => problems.wrong('status.conditions', detail);
  const [complete, failed, target, met] = ['Complete', 'Failed', 'FailureTarget', 'SuccessCriteriaMet'].map((type) =>
    now.is(type),
  );
  if ((turned('Complete') || turned('Failed')) && complete && failed)
    say('cannot set Complete=True and Failed=true conditions');
  if ((turned('Complete') || turned('FailureTarget')) && complete && target)
    say('cannot set Complete=True and FailureTarget=true conditions');
  if (turned('Failed') && failed && !target)
    say('cannot set Failed=True condition without the FailureTarget=true condition');
  if ((turned('Complete') || turned('SuccessCriteriaMet')) && complete && !met) {
    say('cannot set Complete=True condition without the SuccessCriteriaMet=true condition');
  }
  if (met && failed) say('cannot set SuccessCriteriaMet=True and Failed=true conditions');
  if (met && target) say('cannot set SuccessCriteriaMet=True and FailureTarget=true conditions');
  if (objectAt(objectAt(job, 'spec'), 'successPolicy') && complete && !met) {
    say('cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True');
  }
}

function checkTimes(
  problems: Problems,
  job: JsonObject,
  now: StatusView,
  before: StatusView,
  changed: (name: string) => boolean,
  turned: (type: string) => boolean,
): void {
  const [start, end] = [now.time('startTime'), now.time('completionTime')];
  const spec = objectAt(job, 'spec') ?? {};
  if (turned('Complete') || changed('completionTime')) {
    if (end !== undefined && !now.is('Complete')) {
      problems.invalid(
        'status.completionTime',
        end,
        'cannot set completionTime when there is no Complete=True condition',
      );
    }
    if (end === undefined && now.is('Complete'))
      problems.required('status.completionTime', 'completionTime is required for Complete jobs');
  }
  if (
    (changed('startTime') || changed('completionTime')) &&
    start !== undefined &&
    end !== undefined &&
    Date.parse(end) < Date.parse(start)
  ) {
    problems.invalid('status.completionTime', end, 'must be equal to or after `startTime`');
  }
  const never = spec['suspend'] === true && now.completions === 0;
  if ((now.finished !== before.finished || changed('startTime')) && !never && start === undefined && now.finished) {
    problems.required('status.startTime', 'startTime is required for finished job');
  }
  const resumed = before.is('Suspended') && !now.is('Suspended');
  if (changed('startTime') && before.time('startTime') !== undefined && spec['suspend'] !== true && !resumed) {
    problems.invalid('status.startTime', start, 'field is immutable for unsuspended job once set');
  }
  if (end !== undefined && before.time('completionTime') !== undefined && changed('completionTime')) {
    problems.invalid('status.completionTime', end, 'field is immutable');
  }
}

function checkFinished(problems: Problems, now: StatusView, turned: boolean, changed: (name: string) => boolean): void {
  if (!now.finished) return;
  for (const name of ['active', 'terminating']) {
    if ((turned || changed(name)) && now.count(name) > 0)
      problems.invalid(`status.${name}`, now.count(name), `${name}>0 is invalid for finished job`);
  }
  const uncounted = objectAt(now.raw, 'uncountedTerminatedPods');
  if (
    (turned || changed('uncountedTerminatedPods')) &&
    listAt(uncounted, 'succeeded').length + listAt(uncounted, 'failed').length > 0
  ) {
    problems.invalid('status.uncountedTerminatedPods', uncounted, 'must be empty for finished job');
  }
}

function checkIndexes(problems: Problems, job: JsonObject, now: StatusView, changed: (name: string) => boolean): void {
  const [completed, failed] = [stringAt(now.raw, 'completedIndexes') ?? '', stringAt(now.raw, 'failedIndexes')];
  const perIndex = objectAt(job, 'spec')?.['backoffLimitPerIndex'] !== undefined;
  if (changed('completedIndexes') && completed !== '' && !now.indexed) {
    problems.invalid(
      'status.completedIndexes',
      completed,
      'cannot set non-empty completedIndexes when non-indexed completion mode',
    );
  }
  if (changed('failedIndexes') && failed !== undefined && !perIndex) {
    problems.invalid(
      'status.failedIndexes',
      failed,
      'cannot set non-null failedIndexes when backoffLimitPerIndex is null',
    );
  }
  if ((!changed('completedIndexes') && !changed('failedIndexes')) || now.completions === undefined) return;
  const done = readIndexes(completed, now.completions);
  if (typeof done === 'string')
    problems.invalid('status.completedIndexes', completed, `error parsing completedIndexes: ${done}`);
  const lost = readIndexes(failed ?? '', now.completions);
  if (typeof lost === 'string')
    problems.invalid('status.failedIndexes', failed, `error parsing failedIndexes: ${lost}`);
  if (typeof done === 'string' || typeof lost === 'string') return;
  for (const [first, last] of lost) {
    const clash = done.find(([from, to]) => from <= last && first <= to);
    if (clash)
      return problems.invalid(
        'status.failedIndexes',
        failed,
        `failedIndexes and completedIndexes overlap at index: ${Math.max(first, clash[0])}`,
      );
  }
}
