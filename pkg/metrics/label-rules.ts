/** Values that the labels of one metric may have, by label. */
export type LabelRules = ReadonlyMap<string, ReadonlySet<string>>;

const UNEXPECTED = 'unexpected';
/** Methods of prom-client's metrics whose first argument may be labels. */
const METHODS = ['inc', 'dec', 'set', 'observe', 'startTimer', 'labels', 'remove', 'zero'] as const;

type LabelValues = Record<string, string | number>;

/**
 * Makes a metric write `unexpected` for label values that are not allowed (`--allow-metric-labels`), whichever of its
 * methods they come through. Costs something on every call, so only metrics with rules are changed.
 */
export function restrictLabels(
  metric: object,
  names: readonly string[],
  rules: LabelRules,
  onUnexpected: () => void,
): void {
  const allowed = (label: string, value: string | number): string | number => {
    if (value === UNEXPECTED || (rules.get(label)?.has(String(value)) ?? true)) return value;
    onUnexpected();
    return UNEXPECTED;
  };
  const methods = metric as Record<string, ((...args: unknown[]) => unknown) | undefined>;
  for (const name of METHODS) {
    const original = methods[name]?.bind(metric);
    if (!original) continue;
    methods[name] = (...args) => {
      const [first, ...rest] = args;
      if (typeof first === 'object' && first !== null)
        return original(restricted(first as LabelValues, allowed), ...rest);
      // `labels('a', 'b')`: values in the order in which the labels were declared.
      if (name !== 'labels' && name !== 'remove') return original(...args);
      return original(...(args as (string | number)[]).map((value, index) => allowed(names[index] ?? '', value)));
    };
  }
}

function restricted(
  values: LabelValues,
  allowed: (label: string, value: string | number) => string | number,
): LabelValues {
  return Object.fromEntries(Object.entries(values).map(([label, value]) => [label, allowed(label, value)]));
}
