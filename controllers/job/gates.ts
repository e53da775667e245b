import type { Job } from '#pkg/api';
import type { FeatureGateReader } from '#pkg/controller';

import { managedByOther } from './facts.ts';

/** What the feature gates make of a Job. JobManagedBy and JobPodReplacementPolicy can be off only in emulated versions. */
export interface JobGates {
  /** The other controller that looks after the Job. */
  otherManager(job: Job): string | undefined;
  /** The Job without the fields of gates that are off. Only for decisions, and for status requests, which leave the spec alone. */
  visible(job: Job): Job;
  /** An interim condition says how a Job ends, until its Pods have ended. */
  readonly interim: boolean;
  /** The status says how many Pods are on their way out. */
  readonly reportsTerminating: boolean;
  /** A suspended Job forgets when it started. */
  readonly resetsStart: boolean;
  /** Indexed Jobs that run all indexes at once are scheduled as a group. */
  readonly gangs: boolean;
  /** A Job waits until the caches have read what was written for it. */
  readonly waits: boolean;
}

export function jobGates(gates: FeatureGateReader): JobGates {
  const managedBy = gates.enabled('JobManagedBy');
  const replacement = gates.enabled('JobPodReplacementPolicy');
  return {
    otherManager: (job) => (managedBy ? managedByOther(job) : undefined),
    visible: (job) => (replacement ? job : withoutReplacementPolicy(job)),
    interim: managedBy || replacement,
    reportsTerminating: replacement,
    resetsStart: gates.enabled('MutableSchedulingDirectivesForSuspendedJobs'),
    gangs: gates.enabled('WorkloadWithJob'),
    waits: gates.enabled('StaleControllerConsistencyJob'),
  };
}

function withoutReplacementPolicy(job: Job): Job {
  if (job.spec?.podReplacementPolicy === undefined) return job;
  const { podReplacementPolicy: _, ...spec } = job.spec;
  return { ...job, spec };
}
