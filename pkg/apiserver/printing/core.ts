import { ownValue } from '#pkg/base';
import { type JsonObject, listAt, objectAt, objectsAt, stringAt } from '../json.ts';
import {
  NONE,
  accessModes,
  annotation,
  condition,
  count,
  firstOf,
  isBeingDeleted,
  labelText,
  since,
  text,
} from './format.ts';
import type { Printers } from './types.ts';

const spec = (object: JsonObject): JsonObject | undefined => objectAt(object, 'spec');
const status = (object: JsonObject): JsonObject | undefined => objectAt(object, 'status');
const size = (object: JsonObject, key: string): number => Object.keys(objectAt(object, key) ?? {}).length;
const UNSET = '<unset>';

export const corePrinters: Printers = {
  '/ConfigMap': {
    columns: 'Data|Age',
    cells: (object, age) => [size(object, 'data') + size(object, 'binaryData'), age],
  },
  '/Secret': { columns: 'Type|Data|Age', cells: (object, age) => [text(object, 'type'), size(object, 'data'), age] },
  '/ServiceAccount': { columns: 'Age', cells: (_, age) => [age] },
  '/Namespace': { columns: 'Status|Age', cells: (object, age) => [text(status(object), 'phase'), age] },
  '/Node': {
    columns: 'Status|Roles|Age|Version|*Internal-IP|*External-IP|*OS-Image|*Kernel-Version|*Container-Runtime',
    cells: (object, age) => {
      const info = objectAt(status(object), 'nodeInfo');
      const architecture = text(info, 'architecture');
      return [
        nodeStatus(object),
        nodeRoles(object),
        age,
        text(info, 'kubeletVersion'),
        address(object, 'InternalIP'),
        address(object, 'ExternalIP'),
        text(info, 'osImage', '<unknown>'),
        text(info, 'kernelVersion', '<unknown>') + (architecture === '' ? '' : ` (${architecture})`),
        text(info, 'containerRuntimeVersion', '<unknown>'),
      ];
    },
  },
  '/Service': {
    columns: 'Type|Cluster-IP|External-IP|Port(s)|Age|*Selector',
    cells: (object, age) => [
      text(spec(object), 'type'),
      listAt(spec(object), 'clusterIPs')[0] ?? NONE,
      externalAddress(object),
      objectsAt(spec(object), 'ports').map(servicePort).join(',') || NONE,
      age,
      labelText(objectAt(spec(object), 'selector')),
    ],
  },
  '/Endpoints': { columns: 'Endpoints|Age', cells: (object, age) => [endpointsText(object), age] },
  '/PersistentVolume': {
    columns:
      'Capacity|Access Modes|Reclaim Policy|Status|Claim|StorageClass|VolumeAttributesClass|Reason|Age|*VolumeMode',
    cells: (object, age) => {
      const claim = objectAt(spec(object), 'claimRef');
      return [
        text(objectAt(spec(object), 'capacity'), 'storage', '0'),
        accessModes(listAt(spec(object), 'accessModes')),
        text(spec(object), 'persistentVolumeReclaimPolicy'),
        isBeingDeleted(object) ? 'Terminating' : text(status(object), 'phase'),
        claim === undefined ? '' : `${text(claim, 'namespace')}/${text(claim, 'name')}`,
        storageClass(object),
        text(spec(object), 'volumeAttributesClassName', UNSET),
        text(status(object), 'reason'),
        age,
        text(spec(object), 'volumeMode', UNSET),
      ];
    },
  },
  '/PersistentVolumeClaim': {
    columns: 'Status|Volume|Capacity|Access Modes|StorageClass|VolumeAttributesClass|Age|*VolumeMode',
    cells: (object, age) => {
      const bound = text(spec(object), 'volumeName') !== '';
      return [
        isBeingDeleted(object) ? 'Terminating' : text(status(object), 'phase'),
        text(spec(object), 'volumeName'),
        bound ? text(objectAt(status(object), 'capacity'), 'storage', '0') : '',
        bound ? accessModes(listAt(status(object), 'accessModes')) : '',
        storageClass(object),
        text(spec(object), 'volumeAttributesClassName', UNSET),
        age,
        text(spec(object), 'volumeMode', UNSET),
      ];
    },
  },
  '/Event': {
    columns: '!Last Seen|Type|Reason|Object|*Subobject|*Source|Message|*First Seen|*Count|*Name',
    cells: eventCells,
  },
  '/ResourceQuota': { columns: 'Request|Limit|Age', cells: (object, age) => [...quotaCells(object), age] },
  '/ComponentStatus': {
    columns: 'Status|Message|Error',
    cells: (object) => {
      const healthy = objectsAt(object, 'conditions').find((one) => one['type'] === 'Healthy');
      if (healthy === undefined) return ['Unknown', '', ''];
      return [healthy['status'] === 'True' ? 'Healthy' : 'Unhealthy', text(healthy, 'message'), text(healthy, 'error')];
    },
  },
};

function nodeStatus(node: JsonObject): string {
  const ready = condition(node, 'Ready');
  const words = [ready === undefined ? 'Unknown' : ready['status'] === 'True' ? 'Ready' : 'NotReady'];
  if (spec(node)?.['unschedulable'] === true) words.push('SchedulingDisabled');
  return words.join(',');
}

const ROLE_PREFIX = 'node-role.kubernetes.io/';

function nodeRoles(node: JsonObject): string {
  const roles = new Set<string>();
  for (const [key, value] of Object.entries(objectAt(objectAt(node, 'metadata'), 'labels') ?? {})) {
    if (key.startsWith(ROLE_PREFIX) && key.length > ROLE_PREFIX.length) roles.add(key.slice(ROLE_PREFIX.length));
    else if (key === 'kubernetes.io/role' && typeof value === 'string' && value !== '') roles.add(value);
  }
  return roles.size === 0 ? NONE : Array.from(roles).toSorted().join(',');
}

function address(node: JsonObject, type: string): string {
  return text(
    objectsAt(status(node), 'addresses').find((one) => one['type'] === type),
    'address',
    NONE,
  );
}

function servicePort(port: JsonObject): string {
  const nodePort = count(port, 'nodePort');
  return `${count(port, 'port')}${nodePort > 0 ? `:${nodePort}` : ''}/${text(port, 'protocol')}`;
}

function externalAddress(service: JsonObject): string {
  const own = listAt(spec(service), 'externalIPs').map(String);
  switch (stringAt(spec(service), 'type')) {
    case 'ClusterIP':
    case 'NodePort':
      return own.join(',') || NONE;
    case 'LoadBalancer':
      return [...ingressAddresses(service), ...own].join(',') || '<pending>';
    case 'ExternalName':
      return text(spec(service), 'externalName');
    default:
      return '<unknown>';
  }
}

/** The addresses of the load balancer of a Service or an Ingress, sorted. */
export function ingressAddresses(object: JsonObject): string[] {
  const all = objectsAt(objectAt(status(object), 'loadBalancer'), 'ingress').map(
    (one) => text(one, 'ip') || text(one, 'hostname'),
  );
  return Array.from(new Set(all.filter((one) => one !== ''))).toSorted();
}

function endpointsText(object: JsonObject): string {
  const all: string[] = [];
  for (const subset of objectsAt(object, 'subsets')) {
    const addresses = objectsAt(subset, 'addresses').map((one) => text(one, 'ip'));
    const ports = objectsAt(subset, 'ports');
    if (ports.length === 0) all.push(...addresses);
    for (const port of ports)
      all.push(...addresses.map((ip) => `${ip.includes(':') ? `[${ip}]` : ip}:${count(port, 'port')}`));
  }
  if (objectsAt(object, 'subsets').length === 0) return NONE;
  return firstOf(all, 3, '');
}

function storageClass(object: JsonObject): string {
  return annotation(object, 'volume.beta.kubernetes.io/storage-class') ?? text(spec(object), 'storageClassName');
}

function eventCells(event: JsonObject, _age: string, now: number): unknown[] {
  const series = objectAt(event, 'series');
  const time = (key: string): string | undefined => {
    const value = ownValue(event, key);
    return typeof value === 'string' ? value : undefined;
  };
  const first = since(time('firstTimestamp') ?? time('eventTime'), now);
  const last = time('lastTimestamp') === undefined ? first : since(time('lastTimestamp'), now);
  // events.k8s.io has other names for the same fields.
  const target = objectAt(event, 'involvedObject') ?? objectAt(event, 'regarding');
  const name = text(target, 'name');
  const kind = text(target, 'kind').toLowerCase();
  const source = objectAt(event, 'source') ?? objectAt(event, 'deprecatedSource');
  const component =
    text(source, 'component') || text(event, 'reportingComponent') || text(event, 'reportingController');
  const instance = text(source, 'host') || text(event, 'reportingInstance');
  return [
    series === undefined ? last : since(series['lastObservedTime'], now),
    text(event, 'type'),
    text(event, 'reason'),
    name === '' ? kind : `${kind}/${name}`,
    text(target, 'fieldPath'),
    instance === '' ? component : `${component}, ${instance}`,
    (text(event, 'message') || text(event, 'note')).trim(),
    first,
    series === undefined ? count(event, 'count') || 1 : count(series, 'count'),
    text(objectAt(event, 'metadata'), 'name'),
  ];
}

function quotaCells(quota: JsonObject): [string, string] {
  const hard = objectAt(status(quota), 'hard') ?? {};
  const used = objectAt(status(quota), 'used');
  const lines = Object.keys(hard)
    .toSorted()
    .map((name) => ({
      limit: name.startsWith('limits.'),
      line: `${name}: ${text(used, name, '0')}/${text(hard, name)}`,
    }));
  const joined = (limit: boolean): string =>
    lines
      .filter((one) => one.limit === limit)
      .map((one) => one.line)
      .join(', ');
  return [joined(false), joined(true)];
}
