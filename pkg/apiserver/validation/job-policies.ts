import { type JsonObject, listAt, numberAt, objectAt, objectsAt, stringAt } from '../json.ts';
import type { Problems } from './errors.ts';
import { readIndexes } from './job-indexes.ts';

const ACTIONS = ['Count', 'FailIndex', 'FailJob', 'Ignore'];
const OPERATORS = ['In', 'NotIn'];
const STATES = ['False', 'True', 'Unknown'];

const oneOfThese = (values: readonly string[]): string =>
  `valid values: [${values.map((value) => JSON.stringify(value)).join(' ')}]`;

function requiredOneOf(problems: Problems, at: string, value: string, values: readonly string[]): void {
  if (value === '') problems.required(at, oneOfThese(values));
  else problems.oneOf(at, value, values);
}

/** `validatePodFailurePolicy` in `pkg/apis/batch/validation`. */
export function checkFailurePolicy(problems: Problems, spec: JsonObject, at: string): void {
  const template = objectAt(objectAt(spec, 'template'), 'spec');
  const containers = [...objectsAt(template, 'containers'), ...objectsAt(template, 'initContainers')].map(
    ({ name }) => name,
  );
  for (const [index, rule] of objectsAt(objectAt(spec, 'podFailurePolicy'), 'rules').entries()) {
    const here = `${at}.podFailurePolicy.rules[${index}]`;
    const action = stringAt(rule, 'action') ?? '';
    requiredOneOf(problems, `${here}.action`, action, ACTIONS);
    if (action === 'FailIndex' && spec['backoffLimitPerIndex'] === undefined) {
      problems.invalid(`${here}.action`, action, 'requires the backoffLimitPerIndex to be set');
    }
    const exitCodes = objectAt(rule, 'onExitCodes');
    const patterns = objectsAt(rule, 'onPodConditions');
    if (exitCodes) checkExitCodes(problems, exitCodes, `${here}.onExitCodes`, containers);
    for (const [i, pattern] of patterns.entries()) {
      requiredOneOf(problems, `${here}.onPodConditions[${i}].status`, stringAt(pattern, 'status') ?? '', STATES);
    }
    if (exitCodes && patterns.length > 0)
      problems.wrong(here, 'specifying both OnExitCodes and OnPodConditions is not supported');
    if (!exitCodes && patterns.length === 0)
      problems.wrong(here, 'specifying one of OnExitCodes and OnPodConditions is required');
  }
}

function checkExitCodes(problems: Problems, exitCodes: JsonObject, at: string, containers: readonly unknown[]): void {
  const operator = stringAt(exitCodes, 'operator') ?? '';
  requiredOneOf(problems, `${at}.operator`, operator, OPERATORS);
  const container = stringAt(exitCodes, 'containerName');
  if (container !== undefined && !containers.includes(container)) {
    problems.invalid(
      `${at}.containerName`,
      container,
      'must be one of the container or initContainer names in the pod template',
    );
  }
  const values = listAt(exitCodes, 'values') as number[];
  if (values.length === 0) problems.invalid(`${at}.values`, null, 'at least one value is required');
  for (const [i, value] of values.entries()) {
    if (operator === 'In' && value === 0)
      problems.invalid(`${at}.values[${i}]`, value, 'must not be 0 for the In operator');
    if (values.indexOf(value) < i) problems.duplicate(`${at}.values[${i}]`, value);
  }
  if (values.some((value, i) => i > 0 && values[i - 1]! > value))
    problems.invalid(`${at}.values`, values, 'must be ordered');
}

/** `validateSuccessPolicy` in `pkg/apis/batch/validation`. */
export function checkSuccessPolicy(problems: Problems, spec: JsonObject, at: string): void {
  const policy = objectAt(spec, 'successPolicy');
  if (!policy) return;
  if (spec['completionMode'] !== 'Indexed') {
    problems.invalid(`${at}.successPolicy`, policy, 'requires indexed completion mode');
    return;
  }
  const rules = objectsAt(policy, 'rules');
  if (rules.length === 0)
    problems.required(
      `${at}.successPolicy.rules`,
      'at least one rules must be specified when the successPolicy is specified',
    );
  for (const [index, rule] of rules.entries())
    checkSuccessRule(problems, rule, `${at}.successPolicy.rules[${index}]`, numberAt(spec, 'completions') ?? 0);
}

function checkSuccessRule(problems: Problems, rule: JsonObject, at: string, completions: number): void {
  const [indexes, count] = [stringAt(rule, 'succeededIndexes'), numberAt(rule, 'succeededCount')];
  if (indexes === undefined && count === undefined)
    problems.required(at, 'at least one of succeededCount or succeededIndexes must be specified');
  const ranges = readIndexes(indexes ?? '', completions);
  if (typeof ranges === 'string')
    problems.invalid(`${at}.succeededIndexes`, indexes, `error parsing succeededIndexes: ${ranges}`);
  if (count === undefined) return;
  problems.atLeast(`${at}.succeededCount`, count, 0);
  if (count > completions) {
    problems.invalid(
      `${at}.succeededCount`,
      count,
      `must be less than or equal to ${completions} (the number of specified completions)`,
    );
  }
  const named = typeof ranges === 'string' ? 0 : ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
  if (indexes !== undefined && count > named) {
    const detail = `must be less than or equal to ${named} (the number of indexes in the specified succeededIndexes field)`;
    problems.invalid(`${at}.succeededCount`, count, detail);
  }
}
