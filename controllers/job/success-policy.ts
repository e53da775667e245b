import type { Job } from '#pkg/api';

import { type Intervals, countCommon, countIndexes, parseIntervals } from './intervals.ts';

type Policy = NonNullable<NonNullable<Job['spec']>['successPolicy']>;

/**
 * The first rule that the succeeded indexes meet, in words: all of the indexes it names, or as many of them (of all, where
 * it names none) as it asks for (KEP-3998, `pkg/controller/job/success_policy.go`).
 */
export function metSuccessRule(
  policy: Policy | undefined,
  completions: number,
  succeeded: Intervals,
): string | undefined {
  if (!policy || succeeded.length === 0) return undefined;
  const met = policy.rules.findIndex(({ succeededIndexes, succeededCount }) => {
    if (succeededIndexes === undefined)
      return succeededCount !== undefined && countIndexes(succeeded) >= succeededCount;
    const wanted = parseIntervals(succeededIndexes, completions);
    if (wanted.length === 0) return false;
    const reached = countCommon(wanted, succeeded);
    return reached === countIndexes(wanted) || (succeededCount !== undefined && reached >= succeededCount);
  });
  return met < 0 ? undefined : `Matched rules at index ${met}`;
}
