import type { Job, NewObject, ObjectMeta } from '#pkg/api';
import { deepFreeze } from '#pkg/base';

import { at, podTemplate } from './workloads.ts';

type JobSpec = NonNullable<Job['spec']>;

export interface JobParts {
  readonly name?: string;
  readonly metadata?: Partial<ObjectMeta>;
  readonly spec?: Partial<JobSpec>;
  readonly status?: Job['status'];
}

/** A Job as the API server would have stored it: defaults and selector filled in. Frozen. */
export function job({ name = 'work', metadata, spec, status }: JobParts = {}): Job {
  const labels = { 'batch.kubernetes.io/job-name': name };
  const { template, ...rest } = spec ?? {};
  return deepFreeze({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name,
      namespace: 'default',
      uid: `uid-${name}`,
      resourceVersion: '1',
      generation: 1,
      creationTimestamp: at(0),
      ...metadata,
    },
    spec: {
      parallelism: 1,
      completions: 1,
      backoffLimit: 6,
      completionMode: 'NonIndexed',
      suspend: false,
      podReplacementPolicy: rest.podFailurePolicy ? 'Failed' : 'TerminatingOrFailed',
      selector: { matchLabels: labels },
      template: template ?? {
        ...podTemplate('app:v1', labels),
        spec: { containers: [{ name: 'app', image: 'app:v1' }], restartPolicy: 'Never' },
      },
      ...rest,
    },
    ...(status ? { status } : {}),
  } satisfies Job);
}

/** The same, to be created: without what the server gives. */
export function newJob(parts: JobParts = {}): NewObject<Job> {
  const { apiVersion, kind, metadata, spec } = job(parts);
  return {
    apiVersion,
    kind,
    metadata: { name: metadata.name, namespace: metadata.namespace, ...parts.metadata },
    spec,
  };
}
