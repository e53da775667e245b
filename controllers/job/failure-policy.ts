import { type Job, type Pod, keyOf } from '#pkg/api';

import type { ContainerStatus } from './facts.ts';

type Policy = NonNullable<NonNullable<Job['spec']>['podFailurePolicy']>;
type Rule = Policy['rules'][number];
type ExitCodes = NonNullable<Rule['onExitCodes']>;
export type FailureAction = 'Count' | 'FailIndex' | 'FailJob' | 'Ignore';

/** What the policy makes of a failed Pod. */
export interface FailureVerdict {
  /** Of the first rule that matches. */
  readonly action?: FailureAction;
  /** Whether the failure counts against the limits. */
  readonly counts: boolean;
  /** Why the Job fails at once, if it does. */
  readonly jobFailure?: string;
}

const COUNTED: FailureVerdict = { counts: true };
const ACTIONS: ReadonlySet<string> = new Set<FailureAction>(['Count', 'FailIndex', 'FailJob', 'Ignore']);

/**
 * What the Job's failure policy says about a Pod that failed: the first rule that matches decides; without one, or with a
 * rule whose action this version does not know, the failure counts (KEP-3329, `pkg/controller/job/pod_failure_policy.go`).
 */
export function judgeFailure(policy: Policy | undefined, pod: Pod): FailureVerdict {
  for (const [index, rule] of (policy?.rules ?? []).entries()) {
    const what = ACTIONS.has(rule.action) ? matchRule(rule, pod) : undefined;
    if (what === undefined) continue;
    const action = rule.action as FailureAction;
    const counts = action !== 'Ignore';
    return action === 'FailJob'
      ? { action, counts, jobFailure: `${what} matching FailJob rule at index ${index}` }
      : { action, counts };
  }
  return COUNTED;
}

/** What of the Pod matches the rule, in words; a rule looks at exit codes or else at conditions. */
function matchRule({ onExitCodes, onPodConditions = [] }: Rule, pod: Pod): string | undefined {
  if (onExitCodes) {
    const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {};
    const container = [...containerStatuses, ...initContainerStatuses].find((status) => endedWith(status, onExitCodes));
    return (
      container &&
      `Container ${container.name} for pod ${keyOf(pod)} failed with exit code ${container.state!.terminated!.exitCode}`
    );
  }
  const condition = pod.status?.conditions?.find(({ type, status }) =>
    onPodConditions.some((pattern) => pattern.type === type && (pattern.status ?? 'True') === status),
  );
  return condition && `Pod ${keyOf(pod)} has condition ${condition.type}`;
}

function endedWith({ name, state }: ContainerStatus, { containerName, operator, values }: ExitCodes): boolean {
  const exitCode = state?.terminated?.exitCode;
  if (exitCode === undefined || exitCode === 0) return false;
  if (containerName !== undefined && containerName !== null && containerName !== name) return false;
  if (operator === 'In') return values.includes(exitCode);
  return operator === 'NotIn' && !values.includes(exitCode);
}
