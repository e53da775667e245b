import type { Node, PodSpec } from '#pkg/api';

export type Toleration = NonNullable<PodSpec['tolerations']>[number];
export type Taint = NonNullable<NonNullable<Node['spec']>['taints']>[number];

export interface TolerationOptions {
  /** Whether the operators `Lt` and `Gt` count (gate TaintTolerationComparisonOperators). */
  readonly comparison?: boolean;
}

/** `Toleration.ToleratesTaint` in `k8s.io/api/core/v1`: an empty effect or key stands for all, no operator for `Equal`. */
export function tolerates(
  toleration: Toleration,
  taint: Taint,
  { comparison = false }: TolerationOptions = {},
): boolean {
  const { key, operator, value, effect } = toleration;
  if (effect && effect !== taint.effect) return false;
  if (key && key !== taint.key) return false;
  switch (operator) {
    case undefined:
    case '':
    case 'Equal':
      return (value ?? '') === (taint.value ?? '');
    case 'Exists':
      return true;
    case 'Lt':
    case 'Gt':
      return comparison && compares(operator, value ?? '', taint.value ?? '');
    default:
      return false;
  }
}

const INTEGER = /^(?:0|-?[1-9]\d*)$/;

function compares(operator: 'Lt' | 'Gt', bound: string, value: string): boolean {
  if (!INTEGER.test(bound) || !INTEGER.test(value)) return false;
  return operator === 'Lt' ? BigInt(value) < BigInt(bound) : BigInt(value) > BigInt(bound);
}

/** The first of the taints that `counts` and no toleration covers. */
export function untolerated(
  taints: readonly Taint[] | undefined,
  tolerations: readonly Toleration[],
  counts: (taint: Taint) => boolean,
  options?: TolerationOptions,
): Taint | undefined {
  return taints?.find(
    (taint) => counts(taint) && !tolerations.some((toleration) => tolerates(toleration, taint, options)),
  );
}
