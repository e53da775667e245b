import { type Job, type NewObject, type Pod, type PodTemplateSpec, resources } from '#pkg/api';
import { podFromTemplate } from '#pkg/controller';

import { TRACKING_FINALIZER, hasLimitPerIndex, specOf } from './facts.ts';
import { judgeFailure } from './failure-policy.ts';
import { FAILURES_KEY, IGNORED_FAILURES_KEY, INDEX_KEY, failuresBefore, ignoredFailuresBefore } from './pod-index.ts';

const INDEX_VARIABLE = 'JOB_COMPLETION_INDEX';
/** The API server's limit for a prefix to which it adds five characters. */
const LONGEST_PREFIX = 58;

export interface IndexedPod {
  readonly index: number;
  /** The failed Pod whose place it takes. */
  readonly replaced: Pod | undefined;
}

export interface NewPodOptions {
  /** In an Indexed Job. */
  readonly indexed?: IndexedPod;
  /** Name of the group that it is scheduled in. */
  readonly podGroup?: string | undefined;
}

/** The Pod to create for a Job. */
export function newPod(job: Job, { indexed, podGroup }: NewPodOptions = {}): NewObject<Pod> {
  const { template } = specOf(job);
  const schedulingGroup = podGroup === undefined ? {} : { schedulingGroup: { podGroupName: podGroup } };
  const finalizers = [...new Set([...(template.metadata?.finalizers ?? []), TRACKING_FINALIZER])];
  const tracked: PodTemplateSpec = {
    ...template,
    metadata: { ...template.metadata, finalizers },
    spec: { ...template.spec!, ...schedulingGroup },
  };
  if (!indexed) return podFromTemplate(tracked, job, resources.jobs);
  const pod = podFromTemplate(withIndex(tracked, job, indexed), job, resources.jobs);
  return { ...pod, metadata: { ...pod.metadata, generateName: prefix(job.metadata.name, indexed.index) } };
}

/** In annotation, label, environment and host name (KEP-2214). */
function withIndex(template: PodTemplateSpec, job: Job, indexed: IndexedPod): PodTemplateSpec {
  const value = String(indexed.index);
  const { labels = {}, annotations = {} } = template.metadata ?? {};
  const { containers = [], initContainers } = template.spec ?? {};
  return {
    ...template,
    metadata: {
      ...template.metadata,
      labels: { ...labels, [INDEX_KEY]: value },
      annotations: { ...annotations, [INDEX_KEY]: value, ...failureCounts(job, indexed.replaced) },
    },
    spec: {
      ...template.spec,
      hostname: `${job.metadata.name}-${value}`,
      containers: containers.map(withIndexVariable),
      ...(initContainers ? { initContainers: initContainers.map(withIndexVariable) } : {}),
    },
  };
}

interface HasEnvironment {
  readonly env?: readonly { readonly name: string }[];
}

function withIndexVariable<C extends HasEnvironment>(container: C): C {
  if (container.env?.some(({ name }) => name === INDEX_VARIABLE)) return container;
  const variable = { name: INDEX_VARIABLE, valueFrom: { fieldRef: { fieldPath: `metadata.labels['${INDEX_KEY}']` } } };
  return { ...container, env: [...(container.env ?? []), variable] };
}

/** A Pod carries how often its index has failed before it: the failed Pods themselves may be gone. */
function failureCounts(job: Job, replaced: Pod | undefined): Readonly<Record<string, string>> {
  if (!hasLimitPerIndex(job)) return {};
  if (!replaced) return { [FAILURES_KEY]: '0' };
  const { counts } = judgeFailure(job.spec?.podFailurePolicy, replaced);
  const failures = failuresBefore(replaced) + (counts ? 1 : 0);
  const ignored = ignoredFailuresBefore(replaced) + (counts ? 0 : 1);
  return { [FAILURES_KEY]: String(failures), ...(ignored > 0 ? { [IGNORED_FAILURES_KEY]: String(ignored) } : {}) };
}

/** What the server makes the name from, with the index kept whole. */
function prefix(jobName: string, index: number): string {
  const suffix = `-${index}-`;
  return jobName.slice(0, LONGEST_PREFIX - suffix.length) + suffix;
}
