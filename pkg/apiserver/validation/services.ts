import { type JsonObject, listAt, numberAt, objectAt, objectsAt, stringAt } from '../json.ts';
import { checkPort } from './containers.ts';
import type { Problems } from './errors.ts';
import { checkLabels } from './metadata.ts';
import { checkAddresses, checkFamiliesUpdate } from './service-addresses.ts';
import { addressErrors, labelErrors, portNumberErrors, subdomainErrors } from './names.ts';

const TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];
const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];

/** `ValidateService`. */
export function checkService(problems: Problems, service: JsonObject): void {
  const spec = objectAt(service, 'spec') ?? {};
  const type = stringAt(spec, 'type') ?? '';
  const headless = spec['clusterIP'] === 'None';
  const ports = objectsAt(spec, 'ports');
  if (ports.length === 0 && !headless && type !== 'ExternalName') problems.required('spec.ports');
  if (type === 'ExternalName') {
    const name = (stringAt(spec, 'externalName') ?? '').replace(/\.$/, '');
    if (name === '') problems.required('spec.externalName');
    else problems.invalid('spec.externalName', name, ...subdomainErrors(name));
  }
  if (headless && (type === 'NodePort' || type === 'LoadBalancer'))
    problems.invalid('spec.clusterIPs[0]', 'None', `may not be set to 'None' for ${type} services`);
  checkPorts(problems, ports, type);
  checkLabels(problems, objectAt(spec, 'selector'), 'spec.selector');
  problems.oneOf('spec.sessionAffinity', spec['sessionAffinity'], ['ClientIP', 'None']);
  const seconds = numberAt(objectAt(objectAt(spec, 'sessionAffinityConfig'), 'clientIP'), 'timeoutSeconds');
  if (seconds !== undefined && (seconds <= 0 || seconds > 86_400)) {
    problems.invalid(
      'spec.sessionAffinityConfig.clientIP.timeoutSeconds',
      seconds,
      'must be greater than 0 and less than 86400',
    );
  }
  checkAddresses(problems, spec, type);
  checkExternalAddresses(problems, spec);
  if (type === '') problems.required('spec.type');
  else problems.oneOf('spec.type', type, TYPES);
  checkTraffic(problems, spec, type);
}

function checkPorts(problems: Problems, ports: readonly JsonObject[], type: string): void {
  const names = new Set<string>();
  const taken = new Set<string>();
  for (const [index, port] of ports.entries()) {
    const at = `spec.ports[${index}]`;
    const name = stringAt(port, 'name') ?? '';
    if (name === '') {
      if (ports.length > 1) problems.required(`${at}.name`);
    } else {
      problems.invalid(`${at}.name`, name, ...labelErrors(name));
      if (names.has(name)) problems.duplicate(`${at}.name`, name);
      names.add(name);
    }
    const number = numberAt(port, 'port') ?? 0;
    problems.invalid(`${at}.port`, number, ...portNumberErrors(number));
    if ((stringAt(port, 'protocol') ?? '') === '') problems.required(`${at}.protocol`);
    else problems.oneOf(`${at}.protocol`, port['protocol'], PROTOCOLS);
    checkPort(problems, port['targetPort'] ?? number, `${at}.targetPort`);
  }
  for (const [index, port] of ports.entries()) {
    const key = `${stringAt(port, 'protocol')}/${numberAt(port, 'port')}`;
    if (taken.has(key)) {
      problems.duplicate(`spec.ports[${index}]`, {
        Name: '',
        Protocol: port['protocol'] ?? '',
        AppProtocol: null,
        Port: port['port'] ?? 0,
        TargetPort: 0,
        NodePort: 0,
      });
    }
    taken.add(key);
  }
  if (type !== 'ClusterIP' && type !== 'ExternalName') return;
  for (const [index, port] of ports.entries()) {
    if ((numberAt(port, 'nodePort') ?? 0) !== 0)
      problems.forbidden(`spec.ports[${index}].nodePort`, `may not be used when \`type\` is '${type}'`);
  }
}

function checkExternalAddresses(problems: Problems, spec: JsonObject): void {
  for (const [index, address] of listAt(spec, 'externalIPs').map(String).entries()) {
    problems.invalid(`spec.externalIPs[${index}]`, address, ...addressErrors(address));
  }
}

function checkTraffic(problems: Problems, spec: JsonObject, type: string): void {
  const policy = spec['externalTrafficPolicy'];
  const outside =
    type === 'NodePort' || type === 'LoadBalancer' || (type === 'ClusterIP' && listAt(spec, 'externalIPs').length > 0);
  if (policy !== undefined && !outside) {
    problems.invalid('spec.externalTrafficPolicy', policy, 'may only be set for externally-accessible services');
  } else problems.oneOf('spec.externalTrafficPolicy', policy, ['Cluster', 'Local']);
  problems.oneOf('spec.internalTrafficPolicy', spec['internalTrafficPolicy'], ['Cluster', 'Local']);
  problems.oneOf('spec.trafficDistribution', spec['trafficDistribution'], [
    'PreferClose',
    'PreferSameZone',
    'PreferSameNode',
  ]);
}

/** An address that was given stays, unless the Service changes its type; a second family goes only by the policy. */
export function checkServiceUpdate(problems: Problems, service: JsonObject, old: JsonObject): void {
  const spec = objectAt(service, 'spec') ?? {};
  const before = objectAt(old, 'spec') ?? {};
  if (before['type'] === 'ExternalName' || spec['type'] === 'ExternalName') return;
  const was = listAt(before, 'clusterIPs');
  const is = listAt(spec, 'clusterIPs');
  if (was.length > 0 && is[0] !== was[0]) problems.invalid('spec.clusterIPs[0]', is, 'may not change once set');
  checkFamiliesUpdate(problems, spec, before);
}
