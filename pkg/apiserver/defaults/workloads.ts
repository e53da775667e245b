import { type JsonObject, cloneJson, ensureObject, objectAt, objectsAt } from '../json.ts';
import { fill, fillEmpty, isEmpty } from './fill.ts';

const MAX_INT32 = 2 ** 31 - 1;

/** `pkg/apis/apps/v1/defaults.go`, `pkg/apis/batch/v1/defaults.go`, and the ReplicationController. */
export const workloadDefaults: Readonly<Record<string, (object: JsonObject) => void>> = {
  'apps.v1.Deployment': (object) => {
    const spec = ensureObject(object, 'spec');
    const strategy = ensureObject(spec, 'strategy');
    fillEmpty(strategy, { type: 'RollingUpdate' });
    if (strategy['type'] === 'RollingUpdate')
      fill(ensureObject(strategy, 'rollingUpdate'), { maxUnavailable: '25%', maxSurge: '25%' });
    fill(spec, { replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600 });
  },
  'apps.v1.ReplicaSet': (object) => fill(ensureObject(object, 'spec'), { replicas: 1 }),
  'apps.v1.DaemonSet': (object) => {
    const spec = ensureObject(object, 'spec');
    const strategy = ensureObject(spec, 'updateStrategy');
    fillEmpty(strategy, { type: 'RollingUpdate' });
    if (strategy['type'] === 'RollingUpdate')
      fill(ensureObject(strategy, 'rollingUpdate'), { maxUnavailable: 1, maxSurge: 0 });
    fill(spec, { revisionHistoryLimit: 10 });
    // What the conversion writes of a field that apps/v1 no longer has; the strategy counts it.
    fill(ensureObject(ensureObject(object, 'metadata'), 'annotations'), {
      'deprecated.daemonset.template.generation': '0',
    });
  },
  'apps.v1.StatefulSet': defaultStatefulSet,
  'batch.v1.Job': defaultJob,
  'batch.v1.CronJob': (object) => {
    const spec = ensureObject(object, 'spec');
    fillEmpty(spec, { concurrencyPolicy: 'Allow' });
    fill(spec, { suspend: false, successfulJobsHistoryLimit: 3, failedJobsHistoryLimit: 1 });
  },
  'batch.v1.PodFailurePolicyOnPodConditionsPattern': (object) => fillEmpty(object, { status: 'True' }),
  'core.v1.ReplicationController': (object) => {
    const spec = ensureObject(object, 'spec');
    const labels = objectAt(objectAt(spec['template'], 'metadata'), 'labels');
    if (labels === undefined) return;
    if (Object.keys(objectAt(spec, 'selector') ?? {}).length === 0) spec['selector'] = cloneJson(labels);
    takeLabels(object, labels);
  },
};

function defaultStatefulSet(object: JsonObject): void {
  const spec = ensureObject(object, 'spec');
  fillEmpty(spec, { podManagementPolicy: 'OrderedReady' });
  const strategy = ensureObject(spec, 'updateStrategy');
  if (isEmpty(strategy['type'])) {
    strategy['type'] = 'RollingUpdate';
    ensureObject(strategy, 'rollingUpdate');
  }
  const rolling = objectAt(strategy, 'rollingUpdate');
  if (strategy['type'] === 'RollingUpdate' && rolling !== undefined) fill(rolling, { partition: 0 });
  fillEmpty(ensureObject(spec, 'persistentVolumeClaimRetentionPolicy'), {
    whenDeleted: 'Retain',
    whenScaled: 'Retain',
  });
  fill(spec, { replicas: 1, revisionHistoryLimit: 10 });
  for (const claim of objectsAt(spec, 'volumeClaimTemplates'))
    fillEmpty(claim, { apiVersion: 'v1', kind: 'PersistentVolumeClaim' });
}

function defaultJob(object: JsonObject): void {
  const spec = ensureObject(object, 'spec');
  if (spec['completions'] === undefined && spec['parallelism'] === undefined) spec['completions'] = 1;
  fill(spec, {
    parallelism: 1,
    backoffLimit: spec['backoffLimitPerIndex'] === undefined ? 6 : MAX_INT32,
    completionMode: 'NonIndexed',
    suspend: false,
    podReplacementPolicy: spec['podFailurePolicy'] === undefined ? 'TerminatingOrFailed' : 'Failed',
    manualSelector: false,
  });
  const labels = objectAt(objectAt(spec['template'], 'metadata'), 'labels');
  if (labels !== undefined) takeLabels(object, labels);
}

/** An object without labels has those of its template. */
function takeLabels(object: JsonObject, labels: JsonObject): void {
  const metadata = ensureObject(object, 'metadata');
  if (Object.keys(objectAt(metadata, 'labels') ?? {}).length === 0) metadata['labels'] = cloneJson(labels);
}
