import {
  type Job,
  type KubeObject,
  type NewObject,
  type Pod,
  type PodGroup,
  type Workload,
  apiVersionOf,
  isControlledBy,
  keyOf,
  makeKey,
  resources,
} from '#pkg/api';
import { fnv32a, safeEncode } from '#pkg/base';
import type { SharedInformer } from '#pkg/cache';
import { type ControllerContext, controllerReference } from '#pkg/controller';

import { conditionOf, isIndexed, parallelismOf, specOf, statusOf } from './facts.ts';

const BY_JOB = 'workloadByJob';
const BY_WORKLOAD = 'podGroupByWorkload';
const LONGEST_NAME = 253;

/**
 * A Workload and a PodGroup for Jobs whose Pods are to be scheduled together or not at all: Indexed ones that run all of
 * their indexes at once. Behind the gate WorkloadWithJob (`pkg/controller/job/job_scheduling_manager.go`).
 */
export class GangScheduling {
  readonly #context: Pick<ControllerContext, 'client' | 'recorder' | 'log'>;
  readonly #workloads: SharedInformer<Workload>;
  readonly #podGroups: SharedInformer<PodGroup>;

  constructor(context: Pick<ControllerContext, 'client' | 'recorder' | 'log' | 'informers'>) {
    this.#context = context;
    this.#workloads = context.informers.informer(resources.workloads);
    this.#podGroups = context.informers.informer(resources.podGroups);
    this.#workloads.addIndex(BY_JOB, jobOfWorkload);
    this.#podGroups.addIndex(BY_WORKLOAD, workloadOfPodGroup);
  }

  /** To be filled before the first Job is looked at. */
  get caches(): readonly Pick<SharedInformer<KubeObject>, 'whenSynced'>[] {
    return [this.#workloads, this.#podGroups];
  }

  /**
   * Name of the group that the Job's Pods are in, made where it is not there yet; undefined where they are scheduled one by
   * one: the Job is not one for it, had started without, or someone else's objects are in the way.
   */
  async groupOf(job: Job, pods: readonly Pod[], signal: AbortSignal): Promise<string | undefined> {
    if (!isGang(job)) return undefined;
    const workload = await this.#workloadOf(job, pods, signal);
    return workload && (await this.#podGroupOf(job, workload, signal))?.metadata.name;
  }

  async #workloadOf(job: Job, pods: readonly Pod[], signal: AbortSignal): Promise<Workload | undefined> {
    const { client, recorder } = this.#context;
    const found = this.#workloads.lister.byIndex(BY_JOB, keyOf(job));
    if (found.length > 0) {
      const workload = this.#own(job, found);
      if (workload?.spec.podGroupTemplates.length === 1) return workload;
      if (workload) this.#skips(job, 'the Workload has more than one template, or none', workload);
      return undefined;
    }
    if (!isNew(job, pods)) return undefined;
    const workload = await client.resource(resources.workloads).create(workloadFor(job), { signal });
    recorder.event(
      job,
      'Normal',
      'WorkloadCreated',
      `Created Workload ${workload.metadata.name} for Job ${job.metadata.name}`,
    );
    return workload;
  }

  async #podGroupOf(job: Job, workload: Workload, signal: AbortSignal): Promise<PodGroup | undefined> {
    const found = this.#podGroups.lister.byIndex(BY_WORKLOAD, keyOf(workload));
    if (found.length > 0) return this.#own(job, found);
    return this.#context.client.resource(resources.podGroups).create(podGroupFor(job, workload), { signal });
  }

  #own<T extends KubeObject>(job: Job, found: readonly T[]): T | undefined {
    const [only] = found;
    if (found.length === 1 && only && isControlledBy(only, job)) return only;
    this.#skips(job, found.length > 1 ? 'there is more than one' : 'it is not owned by the Job', only!);
    return undefined;
  }

  #skips(job: Job, why: string, object: KubeObject): void {
    this.#context.log.v(2)?.info('Falling back to default scheduling', { job: keyOf(job), why, object: keyOf(object) });
  }
}

function isGang(job: Job): boolean {
  const parallelism = parallelismOf(job);
  const { completions, template } = specOf(job);
  return (
    isIndexed(job) && parallelism > 1 && completions === parallelism && template.spec?.schedulingGroup === undefined
  );
}

/** It has never run: a Job of the time before the gate was enabled goes on as it began. */
function isNew(job: Job, pods: readonly Pod[]): boolean {
  const { startTime, succeeded = 0, failed = 0 } = statusOf(job);
  return (
    pods.length === 0 &&
    startTime === undefined &&
    succeeded + failed === 0 &&
    conditionOf(job.status, 'Suspended') === undefined
  );
}

function workloadFor(job: Job): NewObject<Workload> {
  const { name, namespace } = job.metadata;
  return {
    apiVersion: apiVersionOf(resources.workloads),
    kind: resources.workloads.kind,
    metadata: {
      name: workloadName(job),
      ...(namespace ? { namespace } : {}),
      ownerReferences: [controllerReference(job, resources.jobs)],
    },
    spec: {
      controllerRef: { apiGroup: resources.jobs.group, kind: resources.jobs.kind, name },
      podGroupTemplates: [{ name: `${name}-pgt-0`, schedulingPolicy: { gang: { minCount: parallelismOf(job) } } }],
    },
  };
}

function podGroupFor(job: Job, workload: Workload): NewObject<PodGroup> {
  const template = workload.spec.podGroupTemplates[0]!;
  const { namespace } = job.metadata;
  const { name, uid } = workload.metadata;
  // Does not block the Workload's deletion: a PodGroup may outlive it.
  const ofWorkload = { apiVersion: apiVersionOf(resources.workloads), kind: resources.workloads.kind, name, uid };
  return {
    apiVersion: apiVersionOf(resources.podGroups),
    kind: resources.podGroups.kind,
    metadata: {
      name: podGroupName(name, template.name),
      ...(namespace ? { namespace } : {}),
      ownerReferences: [controllerReference(job, resources.jobs), ofWorkload],
    },
    spec: {
      podGroupTemplateRef: { workload: { workloadName: name, podGroupTemplateName: template.name } },
      schedulingPolicy: template.schedulingPolicy,
    },
  };
}

/** The Job's name, and a hash of its UID as Go's spew prints it. */
export function workloadName({ metadata }: Pick<Job, 'metadata'>): string {
  const hash = safeEncode(String(fnv32a(`(types.UID)${metadata.uid}`)));
  return `${metadata.name.slice(0, LONGEST_NAME - hash.length - 1)}-${hash}`;
}

/** Both names and a hash of them; where they are too long together, each has its half, and what the other leaves of its own. */
export function podGroupName(workload: string, template: string): string {
  const hash = safeEncode(String(fnv32a(workload + template)));
  const room = LONGEST_NAME - hash.length - 2;
  const half = Math.floor(room / 2);
  const forTemplate = Math.max(half, room - workload.length);
  const forWorkload = room - Math.min(template.length, forTemplate);
  return `${workload.slice(0, forWorkload)}-${template.slice(0, forTemplate)}-${hash}`;
}

function jobOfWorkload({ metadata, spec }: Workload): readonly string[] {
  const { apiGroup, kind, name } = spec.controllerRef ?? {};
  return apiGroup === resources.jobs.group && kind === resources.jobs.kind && name
    ? [makeKey(metadata.namespace, name)]
    : [];
}

function workloadOfPodGroup({ metadata, spec }: PodGroup): readonly string[] {
  const name = spec.podGroupTemplateRef?.workload?.workloadName;
  return name ? [makeKey(metadata.namespace, name)] : [];
}
