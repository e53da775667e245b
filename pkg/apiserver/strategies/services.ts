import { semanticEqual, ownValue } from '#pkg/base';
import { type JsonObject, ensureObject, objectsAt } from '../json.ts';

/**
 * Fields that a Service of its new type has no use for, where the server may have filled them in and the user did not touch
 * them (`dropTypeDependentFields` of the service registry).
 */
export function dropTypeDependentFields(object: JsonObject, old: JsonObject): void {
  const spec = ensureObject(object, 'spec');
  const before = ensureObject(old, 'spec');
  const same = (...keys: string[]): boolean =>
    keys.every((key) => semanticEqual(ownValue(spec, key), ownValue(before, key)));
  const drop = (...keys: string[]): void => keys.forEach((key) => delete spec[key]);

  if (needsClusterIp(before) && !needsClusterIp(spec)) {
    if (same('clusterIP', 'clusterIPs')) drop('clusterIP', 'clusterIPs');
    if (same('ipFamilies')) drop('ipFamilies');
    if (same('ipFamilyPolicy')) drop('ipFamilyPolicy');
  }
  if (needsNodePort(before) && !needsNodePort(spec) && sameNodePorts(spec, before)) {
    for (const port of objectsAt(spec, 'ports')) delete port['nodePort'];
  }
  if (needsHealthCheckPort(before) && !needsHealthCheckPort(spec) && same('healthCheckNodePort'))
    drop('healthCheckNodePort');
  if (before['type'] === 'LoadBalancer' && spec['type'] !== 'LoadBalancer') {
    if (same('allocateLoadBalancerNodePorts')) drop('allocateLoadBalancerNodePorts');
    if (same('loadBalancerClass')) drop('loadBalancerClass');
  }
  if (isReachableFromOutside(before) && !isReachableFromOutside(spec) && same('externalTrafficPolicy'))
    drop('externalTrafficPolicy');
  if (spec['type'] !== 'LoadBalancer') ensureObject(object, 'status')['loadBalancer'] = {};
}

function needsClusterIp(spec: JsonObject): boolean {
  return spec['type'] !== 'ExternalName';
}

function needsNodePort(spec: JsonObject): boolean {
  return spec['type'] === 'NodePort' || spec['type'] === 'LoadBalancer';
}

function needsHealthCheckPort(spec: JsonObject): boolean {
  return spec['type'] === 'LoadBalancer' && spec['externalTrafficPolicy'] === 'Local';
}

function isReachableFromOutside(spec: JsonObject): boolean {
  const external = spec['externalIPs'];
  return needsNodePort(spec) || (spec['type'] === 'ClusterIP' && Array.isArray(external) && external.length > 0);
}

function sameNodePorts(spec: JsonObject, before: JsonObject): boolean {
  const nodePorts = (one: JsonObject): unknown[] =>
    objectsAt(one, 'ports')
      .map((port) => port['nodePort'])
      .filter(Boolean);
  const known = new Set(nodePorts(before));
  return nodePorts(spec).every((port) => known.has(port));
}
