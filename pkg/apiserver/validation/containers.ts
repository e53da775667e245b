import { ownValue } from '#pkg/base';
import { type JsonObject, listAt, numberAt, objectAt, objectsAt, stringAt } from '../json.ts';
import type { Problems } from './errors.ts';
import {
  configKeyErrors,
  environmentNameErrors,
  idErrors,
  labelErrors,
  portNameErrors,
  portNumberErrors,
  subdomainErrors,
} from './names.ts';
import { checkContainerResources } from './resources.ts';

const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];

export interface ContainerContext {
  readonly volumes: ReadonlySet<string>;
  /** Names of all containers seen so far, of each list. */
  readonly names: Set<string>;
  readonly hostNetwork: boolean;
}

/** The containers of a Pod, regular and initial (`validateContainers`). */
export function checkContainers(
  problems: Problems,
  containers: readonly JsonObject[],
  at: string,
  context: ContainerContext,
): void {
  const hostPorts = new Set<string>();
  for (const [index, container] of containers.entries()) {
    const place = `${at}[${index}]`;
    checkContainer(problems, container, place, context);
    const name = stringAt(container, 'name') ?? '';
    if (name !== '' && context.names.has(name)) problems.duplicate(`${place}.name`, name);
    context.names.add(name);
    const lifecycle = objectAt(container, 'lifecycle');
    for (const hook of ['postStart', 'preStop']) {
      const handler = objectAt(lifecycle, hook);
      if (handler !== undefined)
        checkHandler(problems, handler, `${place}.lifecycle.${hook}`, ['exec', 'httpGet', 'tcpSocket', 'sleep']);
    }
    for (const probe of ['livenessProbe', 'readinessProbe', 'startupProbe'])
      checkProbe(problems, objectAt(container, probe), `${place}.${probe}`, probe);
    for (const [position, port] of objectsAt(container, 'ports').entries()) {
      const hostPort = numberAt(port, 'hostPort') ?? 0;
      if (hostPort === 0) continue;
      const key = `${stringAt(port, 'protocol') ?? ''}/${stringAt(port, 'hostIP') ?? ''}/${hostPort}`;
      if (hostPorts.has(key)) problems.duplicate(`${place}.ports[${position}].hostPort`, key);
      hostPorts.add(key);
    }
  }
}

function checkContainer(problems: Problems, container: JsonObject, at: string, context: ContainerContext): void {
  const name = stringAt(container, 'name') ?? '';
  if (name === '') problems.required(`${at}.name`);
  else problems.invalid(`${at}.name`, name, ...labelErrors(name));
  checkImage(problems, stringAt(container, 'image') ?? '', `${at}.image`);
  problems.oneOf(`${at}.terminationMessagePolicy`, container['terminationMessagePolicy'], [
    'File',
    'FallbackToLogsOnError',
  ]);
  checkPorts(problems, objectsAt(container, 'ports'), `${at}.ports`);
  checkEnvironment(problems, objectsAt(container, 'env'), `${at}.env`);
  for (const [index, source] of objectsAt(container, 'envFrom').entries())
    checkEnvironmentSource(problems, source, `${at}.envFrom[${index}]`);
  checkMounts(problems, objectsAt(container, 'volumeMounts'), `${at}.volumeMounts`, context.volumes);
  problems.oneOf(`${at}.imagePullPolicy`, container['imagePullPolicy'], ['Always', 'IfNotPresent', 'Never']);
  checkContainerResources(problems, objectAt(container, 'resources'), `${at}.resources`);
  checkSecurity(problems, objectAt(container, 'securityContext'), `${at}.securityContext`);
  if (!context.hostNetwork) return;
  for (const [index, port] of objectsAt(container, 'ports').entries()) {
    if (port['hostPort'] === port['containerPort']) continue;
    problems.invalid(
      `${at}.ports[${index}].hostPort`,
      port['hostPort'],
      'must match `containerPort` when `hostNetwork` is true',
    );
  }
}

export function checkImage(problems: Problems, image: string, at: string): void {
  if (image === '') problems.required(at);
  else if (image !== image.trim()) problems.invalid(at, image, 'must not have leading or trailing whitespace');
}

function checkPorts(problems: Problems, ports: readonly JsonObject[], at: string): void {
  const names = new Set<string>();
  for (const [index, port] of ports.entries()) {
    const place = `${at}[${index}]`;
    const name = stringAt(port, 'name') ?? '';
    if (name !== '') {
      const errors = portNameErrors(name);
      problems.invalid(`${place}.name`, name, ...errors);
      if (errors.length === 0 && names.has(name)) problems.duplicate(`${place}.name`, name);
      names.add(name);
    }
    const number = numberAt(port, 'containerPort') ?? 0;
    if (number === 0) problems.required(`${place}.containerPort`);
    else problems.invalid(`${place}.containerPort`, number, ...portNumberErrors(number));
    const hostPort = numberAt(port, 'hostPort') ?? 0;
    if (hostPort !== 0) problems.invalid(`${place}.hostPort`, hostPort, ...portNumberErrors(hostPort));
    if ((stringAt(port, 'protocol') ?? '') === '') problems.required(`${place}.protocol`);
    else problems.oneOf(`${place}.protocol`, port['protocol'], PROTOCOLS);
  }
}

const SOURCES = ['fieldRef', 'resourceFieldRef', 'configMapKeyRef', 'secretKeyRef', 'fileKeyRef'];
const FIELD_PATHS = new Set([
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
]);

function checkEnvironment(problems: Problems, variables: readonly JsonObject[], at: string): void {
  for (const [index, variable] of variables.entries()) {
    const place = `${at}[${index}]`;
    const name = stringAt(variable, 'name') ?? '';
    if (name === '') problems.required(`${place}.name`);
    else problems.invalid(`${place}.name`, name, ...environmentNameErrors(name));
    const from = objectAt(variable, 'valueFrom');
    if (from !== undefined) checkValueSource(problems, from, stringAt(variable, 'value') ?? '', `${place}.valueFrom`);
  }
}

function checkValueSource(problems: Problems, from: JsonObject, value: string, at: string): void {
  const given = SOURCES.filter((source) => objectAt(from, source) !== undefined);
  const path = stringAt(objectAt(from, 'fieldRef'), 'fieldPath');
  if (path !== undefined) checkFieldPath(problems, path, `${at}.fieldRef.fieldPath`);
  for (const source of ['configMapKeyRef', 'secretKeyRef']) {
    const reference = objectAt(from, source);
    if (reference === undefined) continue;
    problems.invalid(
      `${at}.${source}.name`,
      stringAt(reference, 'name') ?? '',
      ...subdomainErrors(stringAt(reference, 'name') ?? ''),
    );
    const key = stringAt(reference, 'key') ?? '';
    if (key === '') problems.required(`${at}.${source}.key`);
    else problems.invalid(`${at}.${source}.key`, key, ...configKeyErrors(key));
  }
  if (given.length === 0) {
    problems.invalid(
      at,
      '',
      'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`',
    );
  } else if (value !== '') problems.invalid(at, '', 'may not be specified when `value` is not empty');
  else if (given.length > 1) problems.invalid(at, '', 'may not have more than one field specified at a time');
}

function checkFieldPath(problems: Problems, path: string, at: string): void {
  if (path === '') problems.required(at);
  else if (!FIELD_PATHS.has(path) && !/^metadata\.(labels|annotations)\['.*'\]$/.test(path)) {
    problems.invalid(at, path, `error converting fieldPath: field label not supported: ${path}`);
  }
}

function checkEnvironmentSource(problems: Problems, source: JsonObject, at: string): void {
  const given = ['configMapRef', 'secretRef'].filter((key) => objectAt(source, key) !== undefined);
  for (const key of given) {
    const name = stringAt(objectAt(source, key), 'name') ?? '';
    problems.invalid(`${at}.${key}.name`, name, ...subdomainErrors(name));
  }
  if (given.length === 0) problems.invalid(at, '', 'must specify one of: `configMapRef` or `secretRef`');
  if (given.length > 1) problems.invalid(at, '', 'may not have more than one field specified at a time');
}

function checkMounts(
  problems: Problems,
  mounts: readonly JsonObject[],
  at: string,
  volumes: ReadonlySet<string>,
): void {
  const paths = new Set<string>();
  for (const [index, mount] of mounts.entries()) {
    const place = `${at}[${index}]`;
    const name = stringAt(mount, 'name') ?? '';
    if (name === '') problems.required(`${place}.name`);
    else if (!volumes.has(name)) problems.notFound(`${place}.name`, name);
    const path = stringAt(mount, 'mountPath') ?? '';
    if (path === '') problems.required(`${place}.mountPath`);
    if (path !== '' && paths.has(path)) problems.invalid(`${place}.mountPath`, path, 'must be unique');
    paths.add(path);
    const subPath = stringAt(mount, 'subPath') ?? '';
    if (subPath.startsWith('/')) problems.invalid(`${place}.subPath`, subPath, 'must be a relative path');
    if (subPath.split('/').includes('..')) problems.invalid(`${place}.subPath`, subPath, "must not contain '..'");
  }
}

function checkProbe(problems: Problems, probe: JsonObject | undefined, at: string, kind: string): void {
  if (probe === undefined) return;
  checkHandler(problems, probe, at, ['exec', 'httpGet', 'tcpSocket', 'grpc']);
  for (const key of [
    'initialDelaySeconds',
    'timeoutSeconds',
    'periodSeconds',
    'successThreshold',
    'failureThreshold',
  ]) {
    if (key !== 'successThreshold' || kind === 'readinessProbe')
      problems.atLeast(`${at}.${key}`, ownValue(probe, key), 0);
  }
  const grace = numberAt(probe, 'terminationGracePeriodSeconds');
  if (kind === 'readinessProbe') {
    if (grace !== undefined)
      problems.invalid(`${at}.terminationGracePeriodSeconds`, grace, 'must not be set for readinessProbes');
    return;
  }
  if (grace !== undefined && grace <= 0)
    problems.invalid(`${at}.terminationGracePeriodSeconds`, grace, 'must be greater than 0');
  const threshold = numberAt(probe, 'successThreshold');
  if (threshold !== undefined && threshold !== 1) problems.invalid(`${at}.successThreshold`, threshold, 'must be 1');
}

function checkHandler(problems: Problems, handler: JsonObject, at: string, kinds: readonly string[]): void {
  const given = kinds.filter((kind) => objectAt(handler, kind) !== undefined);
  for (const kind of given.slice(1)) problems.forbidden(`${at}.${kind}`, 'may not specify more than 1 handler type');
  const [kind] = given;
  if (kind === undefined) {
    problems.required(at, 'must specify a handler type');
    return;
  }
  const action = objectAt(handler, kind)!;
  if (kind === 'exec') {
    if (listAt(action, 'command').length === 0) problems.required(`${at}.exec.command`);
  } else if (kind === 'httpGet') {
    if ((stringAt(action, 'path') ?? '') === '') problems.required(`${at}.httpGet.path`);
    checkPort(problems, action['port'], `${at}.httpGet.port`);
    problems.oneOf(`${at}.httpGet.scheme`, action['scheme'], ['HTTP', 'HTTPS']);
  } else if (kind === 'tcpSocket' || kind === 'grpc') checkPort(problems, action['port'], `${at}.${kind}.port`);
}

/** A number, or the name of a port. */
export function checkPort(problems: Problems, port: unknown, at: string): void {
  if (typeof port === 'string') problems.invalid(at, port, ...portNameErrors(port));
  else if (typeof port === 'number') problems.invalid(at, port, ...portNumberErrors(port));
}

function checkSecurity(problems: Problems, security: JsonObject | undefined, at: string): void {
  if (security === undefined) return;
  for (const key of ['runAsUser', 'runAsGroup']) {
    const id = numberAt(security, key);
    if (id !== undefined) problems.invalid(`${at}.${key}`, id, ...idErrors(id));
  }
  if (security['allowPrivilegeEscalation'] !== false) return;
  if (security['privileged'] === true)
    problems.invalid(at, security, 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true');
  if (listAt(objectAt(security, 'capabilities'), 'add').some((one) => one === 'CAP_SYS_ADMIN')) {
    problems.invalid(
      at,
      security,
      'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN',
    );
  }
}
