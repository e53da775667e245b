import { type JsonObject, ensureObject, isJsonObject, objectAt, objectsAt, stringAt } from '../json.ts';
import { fill, fillEmpty, isEmpty } from './fill.ts';
import { pullPolicyOf } from './images.ts';

/** 0644: what files made of a ConfigMap or a Secret may be. */
const FILE_MODE = { defaultMode: 420 };

/** The parts of a Pod, in `pkg/apis/core/v1/defaults.go`. */
export const podDefaults: Readonly<Record<string, (object: JsonObject) => void>> = {
  'core.v1.Pod': defaultPod,
  'core.v1.PodSpec': (object) => {
    fillEmpty(object, { dnsPolicy: 'ClusterFirst', restartPolicy: 'Always', schedulerName: 'default-scheduler' });
    fill(object, { securityContext: {}, terminationGracePeriodSeconds: 30 });
    // Two names of one field; the conversion to the internal type knows only one.
    const account = isEmpty(object['serviceAccountName']) ? object['serviceAccount'] : object['serviceAccountName'];
    if (!isEmpty(account)) Object.assign(object, { serviceAccountName: account, serviceAccount: account });
  },
  'core.v1.Container': defaultContainer,
  'core.v1.EphemeralContainer': defaultContainer,
  'core.v1.Probe': (object) =>
    fillEmpty(object, { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 }),
  'core.v1.HTTPGetAction': (object) => fillEmpty(object, { path: '/', scheme: 'HTTP' }),
  'core.v1.GRPCAction': (object) => fill(object, { service: '' }),
  'core.v1.Volume': defaultVolume,
  'core.v1.SecretVolumeSource': (object) => fill(object, FILE_MODE),
  'core.v1.ConfigMapVolumeSource': (object) => fill(object, FILE_MODE),
  'core.v1.DownwardAPIVolumeSource': (object) => fill(object, FILE_MODE),
  'core.v1.ProjectedVolumeSource': (object) => fill(object, FILE_MODE),
  'core.v1.ServiceAccountTokenProjection': (object) => fill(object, { expirationSeconds: 3600 }),
  'core.v1.ObjectFieldSelector': (object) => fillEmpty(object, { apiVersion: 'v1' }),
  'core.v1.HostPathVolumeSource': (object) => fill(object, { type: '' }),
  'core.v1.PodStatus': (object) => {
    const address = stringAt(object, 'podIP');
    const addresses = objectsAt(object, 'podIPs');
    if (address !== undefined && addresses.length === 0) object['podIPs'] = [{ ip: address }];
    else if (address === undefined && addresses.length > 0) object['podIP'] = addresses[0]!['ip'];
  },
};

/** What holds for a Pod, but not for a template of Pods. */
function defaultPod(object: JsonObject): void {
  const spec = ensureObject(object, 'spec');
  const containers = [...objectsAt(spec, 'containers'), ...objectsAt(spec, 'initContainers')];
  for (const container of containers) {
    const resources = objectAt(container, 'resources');
    const limits = objectAt(resources, 'limits');
    if (resources !== undefined && limits !== undefined) fill(ensureObject(resources, 'requests'), limits);
    if (spec['hostNetwork'] !== true) continue;
    for (const port of objectsAt(container, 'ports')) fillEmpty(port, { hostPort: port['containerPort'] });
  }
  fill(spec, { enableServiceLinks: true });
}

function defaultContainer(object: JsonObject): void {
  fillEmpty(object, {
    imagePullPolicy: pullPolicyOf(stringAt(object, 'image')),
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
  });
}

function defaultVolume(object: JsonObject): void {
  if (Object.keys(object).every((key) => key === 'name')) object['emptyDir'] = {};
  const image = object['image'];
  if (isJsonObject(image)) fillEmpty(image, { pullPolicy: pullPolicyOf(stringAt(image, 'reference')) });
}
