import type { IntOrString } from './types.ts';

/**
 * An absolute number, or a percentage of `total` rounded as asked (`intstr.GetScaledValueFromIntOrPercent`).
 * Throws a RangeError that quotes the value when it is a string without a percentage.
 */
export function scaledValue(value: IntOrString, total: number, round: 'up' | 'down'): number {
  if (typeof value === 'number') return value;
  const match = /^([+-]?\d+)%$/.exec(value);
  if (!match) throw new RangeError(`invalid value for IntOrString: "${value}" is neither an integer nor a percentage`);
  const exact = (Number(match[1]) * total) / 100;
  return round === 'up' ? Math.ceil(exact) : Math.floor(exact);
}
