import { type JsonObject, listAt, numberAt, objectAt, objectsAt, stringAt } from '../json.ts';
import type { Problems } from './errors.ts';
import { checkSelector } from './metadata.ts';
import { labelValueErrors, qualifiedNameErrors } from './names.ts';

const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution';
const PREFERRED = 'preferredDuringSchedulingIgnoredDuringExecution';

export function checkAffinity(problems: Problems, affinity: JsonObject | undefined, at: string): void {
  const node = objectAt(affinity, 'nodeAffinity');
  const required = objectAt(node, REQUIRED);
  if (required !== undefined) checkNodeSelector(problems, required, `${at}.nodeAffinity.${REQUIRED}`);
  for (const [index, term] of objectsAt(node, PREFERRED).entries()) {
    const place = `${at}.nodeAffinity.${PREFERRED}[${index}]`;
    checkWeight(problems, term, place);
    checkNodeTerm(problems, objectAt(term, 'preference'), `${place}.preference`);
  }
  for (const kind of ['podAffinity', 'podAntiAffinity']) {
    const rules = objectAt(affinity, kind);
    for (const [index, term] of objectsAt(rules, REQUIRED).entries())
      checkPodTerm(problems, term, `${at}.${kind}.${REQUIRED}[${index}]`);
    for (const [index, term] of objectsAt(rules, PREFERRED).entries()) {
      const place = `${at}.${kind}.${PREFERRED}[${index}]`;
      checkWeight(problems, term, place);
      checkPodTerm(problems, objectAt(term, 'podAffinityTerm'), `${place}.podAffinityTerm`);
    }
  }
}

function checkWeight(problems: Problems, term: JsonObject, at: string): void {
  const weight = numberAt(term, 'weight') ?? 0;
  if (weight < 1 || weight > 100) problems.invalid(`${at}.weight`, weight, 'must be in the range 1-100');
}

export function checkNodeSelector(problems: Problems, selector: JsonObject, at: string): void {
  const terms = objectsAt(selector, 'nodeSelectorTerms');
  if (terms.length === 0) problems.required(`${at}.nodeSelectorTerms`, 'must have at least one node selector term');
  for (const [index, term] of terms.entries()) checkNodeTerm(problems, term, `${at}.nodeSelectorTerms[${index}]`);
}

function checkNodeTerm(problems: Problems, term: JsonObject | undefined, at: string): void {
  for (const [index, expression] of objectsAt(term, 'matchExpressions').entries()) {
    const place = `${at}.matchExpressions[${index}]`;
    const operator = stringAt(expression, 'operator') ?? '';
    const values = listAt(expression, 'values').map(String);
    switch (operator) {
      case 'In':
      case 'NotIn':
        if (values.length === 0)
          problems.required(`${place}.values`, "must be specified when `operator` is 'In' or 'NotIn'");
        break;
      case 'Exists':
      case 'DoesNotExist':
        if (values.length > 0)
          problems.forbidden(`${place}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
        break;
      case 'Gt':
      case 'Lt':
        if (values.length !== 1)
          problems.required(`${place}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'");
        break;
      default:
        problems.invalid(`${place}.operator`, operator, 'not a valid selector operator');
    }
    const key = stringAt(expression, 'key') ?? '';
    problems.invalid(`${place}.key`, key, ...qualifiedNameErrors(key));
    for (const [position, value] of values.entries())
      problems.invalid(`${place}.values[${position}]`, value, ...labelValueErrors(value));
  }
}

function checkPodTerm(problems: Problems, term: JsonObject | undefined, at: string): void {
  if (objectAt(term, 'labelSelector') !== undefined)
    checkSelector(problems, objectAt(term, 'labelSelector'), `${at}.labelSelector`);
  const key = stringAt(term, 'topologyKey') ?? '';
  if (key === '') problems.required(`${at}.topologyKey`, 'can not be empty');
  problems.invalid(`${at}.topologyKey`, key, ...qualifiedNameErrors(key));
}

export function checkTopologySpread(problems: Problems, constraints: readonly JsonObject[], at: string): void {
  const seen = new Set<string>();
  for (const [index, constraint] of constraints.entries()) {
    const place = `${at}[${index}]`;
    const skew = numberAt(constraint, 'maxSkew') ?? 0;
    if (skew <= 0) problems.invalid(`${place}.maxSkew`, skew, 'must be greater than zero');
    const key = stringAt(constraint, 'topologyKey') ?? '';
    if (key === '') problems.required(`${place}.topologyKey`, 'can not be empty');
    else problems.invalid(`${place}.topologyKey`, key, ...qualifiedNameErrors(key));
    const action = stringAt(constraint, 'whenUnsatisfiable') ?? '';
    const actions = ['DoNotSchedule', 'ScheduleAnyway'];
    if (!actions.includes(action)) problems.unsupported(`${place}.whenUnsatisfiable`, action, actions);
    const pair = `{${key}, ${action}}`;
    if (seen.has(pair)) problems.duplicate(`${place}.{topologyKey, whenUnsatisfiable}`, pair);
    seen.add(pair);
    if (objectAt(constraint, 'labelSelector') !== undefined)
      checkSelector(problems, objectAt(constraint, 'labelSelector'), `${place}.labelSelector`);
  }
}

export function checkTolerations(problems: Problems, tolerations: readonly JsonObject[], at: string): void {
  for (const [index, toleration] of tolerations.entries()) {
    const place = `${at}[${index}]`;
    const key = stringAt(toleration, 'key') ?? '';
    const operator = stringAt(toleration, 'operator') ?? '';
    const value = stringAt(toleration, 'value') ?? '';
    const effect = stringAt(toleration, 'effect') ?? '';
    if (key !== '') problems.invalid(`${place}.key`, key, ...qualifiedNameErrors(key));
    if (key === '' && operator !== 'Exists') {
      problems.invalid(
        `${place}.operator`,
        operator,
        'operator must be Exists when `key` is empty, which means "match all values and all keys"',
      );
    }
    if (toleration['tolerationSeconds'] !== undefined && effect !== 'NoExecute') {
      problems.invalid(`${place}.effect`, effect, "effect must be 'NoExecute' when `tolerationSeconds` is set");
    }
    if (operator === '' || operator === 'Equal')
      problems.invalid(`${place}.operator`, value, ...labelValueErrors(value));
    else if (operator !== 'Exists') problems.unsupported(`${place}.operator`, operator, ['Equal', 'Exists']);
    else if (value !== '')
      problems.invalid(`${place}.operator`, value, "value must be empty when `operator` is 'Exists'");
    problems.oneOf(`${place}.effect`, effect, ['NoSchedule', 'PreferNoSchedule', 'NoExecute']);
  }
}
