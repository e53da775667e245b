import { ownValue } from '#pkg/base';
import { type JsonObject, objectAt } from '../json.ts';
import { checkConditions } from './conditions.ts';
import type { Problems } from './errors.ts';
import { checkSelector } from './metadata.ts';
import { checkIntOrPercent, checkWithinWhole } from './workloads.ts';

export function checkDisruptionBudget(problems: Problems, object: JsonObject): void {
  const spec = objectAt(object, 'spec') ?? {};
  const { minAvailable, maxUnavailable } = spec;
  if (minAvailable !== undefined && maxUnavailable !== undefined) {
    const shown = {
      MinAvailable: minAvailable,
      Selector: spec['selector'] ?? null,
      MaxUnavailable: maxUnavailable,
      UnhealthyPodEvictionPolicy: spec['unhealthyPodEvictionPolicy'] ?? null,
    };
    problems.invalid('spec', shown, 'minAvailable and maxUnavailable cannot be both set');
  }
  for (const [key, value] of Object.entries({ minAvailable, maxUnavailable })) {
    if (value === undefined) continue;
    checkIntOrPercent(problems, value, `spec.${key}`);
    checkWithinWhole(problems, value, `spec.${key}`);
  }
  checkSelector(problems, objectAt(spec, 'selector'), 'spec.selector');
  problems.oneOf('spec.unhealthyPodEvictionPolicy', spec['unhealthyPodEvictionPolicy'], [
    'AlwaysAllow',
    'IfHealthyBudget',
  ]);
}

/** What a controller may not write into a budget's status (`ValidatePodDisruptionBudgetStatusUpdate`). */
export function checkDisruptionBudgetStatus(problems: Problems, object: JsonObject): void {
  const status = objectAt(object, 'status') ?? {};
  checkConditions(problems, status);
  for (const name of ['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods'])
    problems.atLeast(`status.${name}`, ownValue(status, name), 0);
}
