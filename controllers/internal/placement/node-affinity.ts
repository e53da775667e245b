import { ownValue } from '#pkg/base';
import type { Node, PodSpec } from '#pkg/api';

export type NodePredicate = (node: Node) => boolean;

type Affinity = NonNullable<NonNullable<PodSpec['affinity']>['nodeAffinity']>;
type Term = NonNullable<Affinity['requiredDuringSchedulingIgnoredDuringExecution']>['nodeSelectorTerms'][number];
type Requirement = NonNullable<Term['matchExpressions']>[number];

/**
 * Whether a node is one that the Pod's node selector and one of its required affinity terms ask for
 * (`GetRequiredNodeAffinity` in `k8s.io/component-helpers/scheduling/corev1/nodeaffinity`). A term that is empty or
 * cannot be read matches no node.
 */
export function compileNodeAffinity(spec: Pick<PodSpec, 'nodeSelector' | 'affinity'> | undefined): NodePredicate {
  const wanted = Object.entries(spec?.nodeSelector ?? {});
  const required = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const terms = required?.nodeSelectorTerms.map(compileTerm);
  return (node) => {
    const labels = node.metadata.labels ?? {};
    return (
      wanted.every(([key, value]) => ownValue(labels, key) === value) &&
      (terms === undefined || terms.some((matches) => matches(node)))
    );
  };
}

const never: NodePredicate = () => false;

function compileTerm({ matchExpressions = [], matchFields = [] }: Term): NodePredicate {
  if (matchExpressions.length === 0 && matchFields.length === 0) return never;
  const readable = matchExpressions.every(isReadable) && matchFields.every(isReadableField);
  if (!readable) return never;
  return ({ metadata }) =>
    matchFields.every((requirement) => holds(requirement, metadata.name)) &&
    matchExpressions.every((requirement) => holds(requirement, ownValue(metadata.labels, requirement.key)));
}

function isReadable({ operator, values = [] }: Requirement): boolean {
  switch (operator) {
    case 'In':
    case 'NotIn':
      return values.length > 0;
    case 'Exists':
    case 'DoesNotExist':
      return values.length === 0;
    case 'Gt':
    case 'Lt':
      return values.length === 1 && isInteger(values[0]!);
    default:
      return false;
  }
}

/** Only the name is a field, and is asked for by one value. */
function isReadableField({ key, operator, values = [] }: Requirement): boolean {
  return key === 'metadata.name' && (operator === 'In' || operator === 'NotIn') && values.length === 1;
}

function holds({ operator, values = [] }: Requirement, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default: {
      if (value === undefined || !isInteger(value)) return false;
      const bound = BigInt(values[0]!);
      return operator === 'Gt' ? BigInt(value) > bound : BigInt(value) < bound;
    }
  }
}

const isInteger = (text: string): boolean => /^-?\d+$/.test(text);
