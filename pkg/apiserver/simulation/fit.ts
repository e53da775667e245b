import { ownValue } from '#pkg/base';
import { parseQuantity } from '../decode/index.ts';
import { type JsonObject, listAt, objectAt, objectsAt, stringAt } from '../json.ts';

/** What a Pod asks for, and a node has: cpu in cores, memory in bytes. */
export interface Amounts {
  readonly cpu: number;
  readonly memory: number;
}

/** Why a Pod cannot go to a node, as the scheduler words it; undefined where it can. */
export function obstacle(
  pod: Readonly<JsonObject>,
  node: Readonly<JsonObject>,
  used: Amounts & { readonly pods: number },
): string | undefined {
  const spec = objectAt(pod, 'spec');
  const tolerations = objectsAt(spec, 'tolerations');
  if (
    objectAt(node, 'spec')?.['unschedulable'] === true &&
    !tolerations.some((each) => tolerates(each, UNSCHEDULABLE))
  ) {
    return 'node(s) were unschedulable';
  }
  const labels = objectAt(node['metadata'], 'labels') ?? {};
  const wanted = Object.entries(objectAt(spec, 'nodeSelector') ?? {});
  if (!wanted.every(([key, value]) => ownValue(labels, key) === value) || !matchesAffinity(spec, node, labels)) {
    return "node(s) didn't match Pod's node affinity/selector";
  }
  const taint = objectsAt(node['spec'], 'taints').find(
    (each) => keepsOut(each) && !tolerations.some((toleration) => tolerates(toleration, each)),
  );
  if (taint !== undefined) return `node(s) had untolerated taint(s)`;
  const allocatable = objectAt(node['status'], 'allocatable');
  if (used.pods + 1 > quantity(allocatable?.['pods'], Number.POSITIVE_INFINITY)) return 'Too many pods';
  const asked = requestsOf(pod);
  if (asked.cpu > 0 && used.cpu + asked.cpu > quantity(allocatable?.['cpu'], Number.POSITIVE_INFINITY))
    return 'Insufficient cpu';
  if (asked.memory > 0 && used.memory + asked.memory > quantity(allocatable?.['memory'], Number.POSITIVE_INFINITY))
    return 'Insufficient memory';
  return undefined;
}

const UNSCHEDULABLE = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };

function keepsOut(taint: JsonObject): boolean {
  return taint['effect'] === 'NoSchedule' || taint['effect'] === 'NoExecute';
}

export function tolerates(toleration: JsonObject, taint: JsonObject): boolean {
  const effect = stringAt(toleration, 'effect') ?? '';
  const key = stringAt(toleration, 'key') ?? '';
  if (effect !== '' && effect !== taint['effect']) return false;
  if (key !== '' && key !== taint['key']) return false;
  if ((stringAt(toleration, 'operator') ?? 'Equal') === 'Exists') return true;
  return (stringAt(toleration, 'value') ?? '') === (stringAt(taint, 'value') ?? '');
}

/** The required part of node affinity: one of the terms must hold. */
function matchesAffinity(spec: JsonObject | undefined, node: Readonly<JsonObject>, labels: JsonObject): boolean {
  const affinity = objectAt(objectAt(spec, 'affinity'), 'nodeAffinity');
  const required = objectAt(affinity, 'requiredDuringSchedulingIgnoredDuringExecution');
  if (required === undefined) return true;
  const name = stringAt(node['metadata'], 'name');
  return objectsAt(required, 'nodeSelectorTerms').some((term) => {
    const expressions = objectsAt(term, 'matchExpressions');
    const fields = objectsAt(term, 'matchFields');
    if (expressions.length === 0 && fields.length === 0) return false;
    return (
      expressions.every((each) => holds(each, ownValue(labels, String(each['key'])))) &&
      fields.every((each) => holds(each, name))
    );
  });
}

function holds(expression: JsonObject, value: unknown): boolean {
  const values = listAt(expression, 'values');
  switch (expression['operator']) {
    case 'In':
      return values.includes(value);
    case 'NotIn':
      return !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
      return Number(value) > Number(values[0]);
    case 'Lt':
      return Number(value) < Number(values[0]);
    default:
      return false;
  }
}

export function requestsOf(pod: Readonly<JsonObject>): Amounts {
  const containers = objectsAt(pod['spec'], 'containers');
  const sum = (name: string): number =>
    containers.reduce(
      (total, each) => total + quantity(ownValue(objectAt(objectAt(each, 'resources'), 'requests'), name), 0),
      0,
    );
  return { cpu: sum('cpu'), memory: sum('memory') };
}

function quantity(value: unknown, missing: number): number {
  if (typeof value !== 'string' && typeof value !== 'number') return missing;
  const parsed = parseQuantity(String(value));
  return parsed === undefined ? missing : Number(parsed.nano) / 1e9;
}
