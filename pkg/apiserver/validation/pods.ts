import { semanticEqual, ownValue, setOwnValue } from '#pkg/base';
import { type JsonObject, cloneJson, listAt, numberAt, objectAt, objectsAt, stringAt } from '../json.ts';
import { checkAffinity, checkTolerations, checkTopologySpread } from './affinity.ts';
import { checkContainers, checkImage } from './containers.ts';
import type { Problems } from './errors.ts';
import { checkAnnotations, checkLabels } from './metadata.ts';
import { addressErrors, idErrors, labelErrors, qualifiedNameErrors, subdomainErrors } from './names.ts';
import { checkVolumes } from './volumes.ts';

const RESTART_POLICIES = ['Always', 'OnFailure', 'Never'];
const DNS_POLICIES = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'];
const MAX_SECONDS = 2_147_483_647;

export function checkPod(problems: Problems, pod: JsonObject): void {
  const spec = objectAt(pod, 'spec') ?? {};
  checkPodSpec(problems, spec, 'spec');
  if (objectsAt(spec, 'ephemeralContainers').length > 0)
    problems.forbidden('spec.ephemeralContainers', 'cannot be set on create');
  if (objectsAt(spec, 'schedulingGates').length > 0 && stringAt(spec, 'nodeName') !== undefined) {
    problems.forbidden('spec.nodeName', 'cannot be set until all schedulingGates have been cleared');
  }
}

/** A template's labels and annotations stand beside its `metadata` in the messages, as upstream has them. */
export function checkTemplate(problems: Problems, template: JsonObject | undefined, at: string): void {
  const metadata = objectAt(template, 'metadata');
  checkLabels(problems, objectAt(metadata, 'labels'), `${at}.labels`);
  checkAnnotations(problems, objectAt(metadata, 'annotations'), `${at}.annotations`);
  checkPodSpec(problems, objectAt(template, 'spec') ?? {}, `${at}.spec`);
  if (objectsAt(objectAt(template, 'spec'), 'ephemeralContainers').length > 0) {
    problems.forbidden(`${at}.spec.ephemeralContainers`, 'ephemeral containers not allowed in pod template');
  }
}

export function checkPodSpec(problems: Problems, spec: JsonObject, at: string): void {
  const volumes = checkVolumes(problems, objectsAt(spec, 'volumes'), `${at}.volumes`);
  const context = { volumes, names: new Set<string>(), hostNetwork: spec['hostNetwork'] === true };
  const containers = objectsAt(spec, 'containers');
  if (containers.length === 0) problems.required(`${at}.containers`);
  checkContainers(problems, containers, `${at}.containers`, context);
  checkContainers(problems, objectsAt(spec, 'initContainers'), `${at}.initContainers`, context);
  problems.oneOf(`${at}.restartPolicy`, spec['restartPolicy'], RESTART_POLICIES);
  problems.oneOf(`${at}.dnsPolicy`, spec['dnsPolicy'], DNS_POLICIES);
  checkLabels(problems, objectAt(spec, 'nodeSelector'), `${at}.nodeSelector`);
  checkSecurity(problems, objectAt(spec, 'securityContext'), `${at}.securityContext`);
  checkAffinity(problems, objectAt(spec, 'affinity'), `${at}.affinity`);
  if (spec['dnsPolicy'] === 'None' && listAt(objectAt(spec, 'dnsConfig'), 'nameservers').length === 0) {
    if (objectAt(spec, 'dnsConfig') === undefined)
      problems.required(`${at}.dnsConfig`, 'must provide `dnsConfig` when `dnsPolicy` is None');
    else
      problems.required(
        `${at}.dnsConfig.nameservers`,
        'must provide at least one DNS nameserver when `dnsPolicy` is None',
      );
  }
  checkTopologySpread(problems, objectsAt(spec, 'topologySpreadConstraints'), `${at}.topologySpreadConstraints`);
  checkReferences(problems, spec, at);
  checkDeadline(problems, spec, at);
  checkTolerations(problems, objectsAt(spec, 'tolerations'), `${at}.tolerations`);
  for (const [index, alias] of objectsAt(spec, 'hostAliases').entries())
    checkHostAlias(problems, alias, `${at}.hostAliases[${index}]`);
}

function checkReferences(problems: Problems, spec: JsonObject, at: string): void {
  for (const key of ['serviceAccountName', 'nodeName', 'priorityClassName', 'runtimeClassName']) {
    const name = stringAt(spec, key) ?? '';
    if (name !== '') problems.invalid(`${at}.${key}`, name, ...subdomainErrors(name));
  }
  const hostname = stringAt(spec, 'hostname') ?? '';
  if (hostname !== '') problems.invalid(`${at}.hostname`, hostname, ...labelErrors(hostname));
  const subdomain = stringAt(spec, 'subdomain') ?? '';
  if (subdomain.includes('.')) problems.invalid(`${at}.subdomain`, subdomain, 'must not contain dots');
  else if (subdomain !== '') problems.invalid(`${at}.subdomain`, subdomain, ...labelErrors(subdomain));
  for (const [index, gate] of objectsAt(spec, 'readinessGates').entries()) {
    const type = stringAt(gate, 'conditionType') ?? '';
    problems.invalid(`${at}.readinessGates[${index}].conditionType`, type, ...qualifiedNameErrors(type));
  }
  const gates = new Set<string>();
  for (const [index, gate] of objectsAt(spec, 'schedulingGates').entries()) {
    const name = stringAt(gate, 'name') ?? '';
    problems.invalid(`${at}.schedulingGates[${index}]`, name, ...qualifiedNameErrors(name));
    if (gates.has(name)) problems.duplicate(`${at}.schedulingGates[${index}]`, name);
    gates.add(name);
  }
}

function checkDeadline(problems: Problems, spec: JsonObject, at: string): void {
  const deadline = numberAt(spec, 'activeDeadlineSeconds');
  if (deadline === undefined || (deadline >= 1 && deadline <= MAX_SECONDS)) return;
  problems.invalid(`${at}.activeDeadlineSeconds`, deadline, `must be between 1 and ${MAX_SECONDS}, inclusive`);
}

function checkSecurity(problems: Problems, security: JsonObject | undefined, at: string): void {
  for (const key of ['fsGroup', 'runAsUser', 'runAsGroup']) {
    const id = numberAt(security, key);
    if (id !== undefined) problems.invalid(`${at}.${key}`, id, ...idErrors(id));
  }
  for (const [index, id] of listAt(security, 'supplementalGroups').entries()) {
    if (typeof id === 'number') problems.invalid(`${at}.supplementalGroups[${index}]`, id, ...idErrors(id));
  }
}

function checkHostAlias(problems: Problems, alias: JsonObject, at: string): void {
  const address = stringAt(alias, 'ip') ?? '';
  problems.invalid(`${at}.ip`, address, ...addressErrors(address));
  for (const [index, hostname] of listAt(alias, 'hostnames').map(String).entries()) {
    problems.invalid(`${at}.hostnames[${index}]`, hostname, ...subdomainErrors(hostname));
  }
}

const FIXED_FIELDS =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,' +
  '`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

/** Checks an update of a Pod's spec, of which hardly anything may change (`ValidatePodUpdate`); `resize` and `ephemeralcontainers` have ways of their own. */
export function checkPodUpdate(problems: Problems, pod: JsonObject, old: JsonObject, subresource?: string): void {
  const spec = objectAt(pod, 'spec') ?? {};
  checkPodSpec(problems, spec, 'spec');
  if (subresource === 'ephemeralcontainers' || subresource === 'resize') return;
  const before = objectAt(old, 'spec') ?? {};
  for (const list of ['containers', 'initContainers']) {
    if (objectsAt(spec, list).length !== objectsAt(before, list).length) {
      problems.forbidden(
        `spec.${list}`,
        `pod updates may not add or remove ${list === 'containers' ? 'containers' : 'initContainers'}`,
      );
      return;
    }
    for (const [index, container] of objectsAt(spec, list).entries()) {
      checkImage(problems, stringAt(container, 'image') ?? '', `spec.${list}[${index}].image`);
    }
  }
  checkDeadlineUpdate(problems, spec, before);
  const same = withAllowedChanges(spec, before);
  if (same !== undefined && !semanticEqual(same, before)) problems.forbidden('spec', FIXED_FIELDS);
  if (same === undefined)
    problems.forbidden('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds');
}

function checkDeadlineUpdate(problems: Problems, spec: JsonObject, before: JsonObject): void {
  const deadline = numberAt(spec, 'activeDeadlineSeconds');
  const old = numberAt(before, 'activeDeadlineSeconds');
  if (deadline !== undefined && (deadline < 0 || deadline > MAX_SECONDS)) {
    problems.invalid('spec.activeDeadlineSeconds', deadline, `must be between 0 and ${MAX_SECONDS}, inclusive`);
  } else if (old !== undefined && (deadline ?? Number.POSITIVE_INFINITY) > old) {
    if (deadline === undefined)
      problems.invalid('spec.activeDeadlineSeconds', null, 'must not update from a positive integer to nil value');
    else problems.invalid('spec.activeDeadlineSeconds', deadline, 'must be less than or equal to previous value');
  }
}

/** The spec with what may change put back; undefined where a toleration was taken away. */
function withAllowedChanges(spec: JsonObject, before: JsonObject): JsonObject | undefined {
  const result = cloneJson(spec);
  for (const list of ['containers', 'initContainers']) {
    const old = objectsAt(before, list);
    for (const [index, container] of objectsAt(result, list).entries()) container['image'] = old[index]!['image'];
  }
  const gated = objectsAt(before, 'schedulingGates').length > 0;
  const free = [
    'activeDeadlineSeconds',
    ...(gated ? ['nodeSelector', 'schedulingGates', 'affinity'] : ['schedulingGates']),
  ];
  if (Number(before['terminationGracePeriodSeconds']) < 0 && spec['terminationGracePeriodSeconds'] === 1)
    free.push('terminationGracePeriodSeconds');
  for (const key of free) {
    if (ownValue(before, key) === undefined) delete result[key];
    else setOwnValue(result, key, ownValue(before, key));
  }
  const bare = (toleration: JsonObject): JsonObject => ({ ...toleration, tolerationSeconds: null });
  const kept = objectsAt(before, 'tolerations').every((old) =>
    objectsAt(spec, 'tolerations').some((one) => semanticEqual(bare(one), bare(old))),
  );
  if (!kept) return undefined;
  result['tolerations'] = before['tolerations'];
  return result;
}
