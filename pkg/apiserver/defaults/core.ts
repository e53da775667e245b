import { setOwnValue } from '#pkg/base';
import { type JsonObject, cloneJson, ensureObject, listAt, objectAt, objectsAt, stringAt } from '../json.ts';
import { fill, fillEmpty, isEmpty } from './fill.ts';

/** The other kinds of `pkg/apis/core/v1/defaults.go` and what their conversions merge. */
export const coreDefaults: Readonly<Record<string, (object: JsonObject) => void>> = {
  'core.v1.Service': defaultService,
  'core.v1.Secret': (object) => {
    fillEmpty(object, { type: 'Opaque' });
    const plain = objectAt(object, 'stringData');
    if (plain === undefined) return;
    const data = ensureObject(object, 'data');
    for (const [key, value] of Object.entries(plain))
      setOwnValue(data, key, Buffer.from(String(value), 'utf8').toString('base64'));
    delete object['stringData'];
  },
  'core.v1.Namespace': (object) => {
    const metadata = ensureObject(object, 'metadata');
    const name = stringAt(metadata, 'name') ?? '';
    if (name !== '') ensureObject(metadata, 'labels')['kubernetes.io/metadata.name'] = name;
  },
  'core.v1.NamespaceStatus': (object) => fillEmpty(object, { phase: 'Active' }),
  'core.v1.NodeSpec': (object) => {
    const [first] = listAt(object, 'podCIDRs');
    if (isEmpty(object['podCIDR']) && first !== undefined) object['podCIDR'] = first;
    else if (!isEmpty(object['podCIDR']) && first === undefined) object['podCIDRs'] = [object['podCIDR']];
  },
  'core.v1.NodeStatus': (object) => {
    if (object['capacity'] !== undefined) fill(object, { allocatable: object['capacity'] });
  },
  'core.v1.PersistentVolume': (object) => {
    fillEmpty(ensureObject(object, 'status'), { phase: 'Pending' });
    const spec = ensureObject(object, 'spec');
    fillEmpty(spec, { persistentVolumeReclaimPolicy: 'Retain' });
    fill(spec, { volumeMode: 'Filesystem' });
  },
  'core.v1.PersistentVolumeClaim': (object) => fillEmpty(ensureObject(object, 'status'), { phase: 'Pending' }),
  'core.v1.PersistentVolumeClaimSpec': (object) => fill(object, { volumeMode: 'Filesystem' }),
  'core.v1.EndpointPort': (object) => fillEmpty(object, { protocol: 'TCP' }),
  'core.v1.LimitRangeItem': defaultLimits,
};

function defaultService(object: JsonObject): void {
  const spec = ensureObject(object, 'spec');
  fillEmpty(spec, { sessionAffinity: 'None', type: 'ClusterIP' });
  if (spec['sessionAffinity'] === 'None') delete spec['sessionAffinityConfig'];
  else if (spec['sessionAffinity'] === 'ClientIP') {
    fill(ensureObject(ensureObject(spec, 'sessionAffinityConfig'), 'clientIP'), { timeoutSeconds: 10_800 });
  }
  for (const port of objectsAt(spec, 'ports')) fillEmpty(port, { protocol: 'TCP', targetPort: port['port'] });
  const outside = spec['type'] === 'NodePort' || spec['type'] === 'LoadBalancer';
  const externalAddresses = spec['type'] === 'ClusterIP' && listAt(spec, 'externalIPs').length > 0;
  if (outside || externalAddresses) fillEmpty(spec, { externalTrafficPolicy: 'Cluster' });
  if (outside || spec['type'] === 'ClusterIP') fill(spec, { internalTrafficPolicy: 'Cluster' });
  if (spec['type'] !== 'LoadBalancer') return;
  fill(spec, { allocateLoadBalancerNodePorts: true });
  for (const ingress of objectsAt(objectAt(object['status'], 'loadBalancer'), 'ingress')) {
    if (!isEmpty(ingress['ip'])) fill(ingress, { ipMode: 'VIP' });
  }
}

/** A container's default limit is its maximum, its default request its default limit, or else the minimum. */
function defaultLimits(object: JsonObject): void {
  if (object['type'] !== 'Container') return;
  const from = (target: JsonObject, source: string): void => fill(target, cloneJson(objectAt(object, source) ?? {}));
  const limits = { ...objectAt(object, 'default') };
  from(limits, 'max');
  if (Object.keys(limits).length > 0) object['default'] = limits;
  const requests = { ...objectAt(object, 'defaultRequest') };
  from(requests, 'default');
  from(requests, 'min');
  if (Object.keys(requests).length > 0) object['defaultRequest'] = requests;
}
