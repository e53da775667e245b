import { ownValue } from '#pkg/base';

/*
 * Quantities (`k8s.io/apimachinery/pkg/api/resource`): exact decimal numbers with a suffix. Held in billionths, the
 * finest that the API keeps; finer is rounded away from zero.
 */

type Format = 'decimal' | 'binary' | 'exponent';

export interface Quantity {
  /** The value in billionths. */
  readonly nano: bigint;
  readonly format: Format;
}

const NANO = 1_000_000_000n;
const FORM = /^([+-]?)(\d+\.?\d*|\.\d+)([numkMGTPE]?|[KMGTPE]i|[eE][+-]?\d+)$/;
const DECIMAL: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const BINARY: Readonly<Record<string, bigint>> = {
  Ki: 1n << 10n,
  Mi: 1n << 20n,
  Gi: 1n << 30n,
  Ti: 1n << 40n,
  Pi: 1n << 50n,
  Ei: 1n << 60n,
};

/** Undefined where the text is no quantity. */
export function parseQuantity(text: string): Quantity | undefined {
  const match = FORM.exec(text);
  if (match === null) return undefined;
  const [, sign, digits, suffix] = match as unknown as [string, string, string, string];
  const dot = digits.indexOf('.');
  const fraction = dot < 0 ? '' : digits.slice(dot + 1);
  const mantissa = BigInt(digits.replace('.', '')) * (sign === '-' ? -1n : 1n);
  const binary = ownValue(BINARY, suffix);
  if (binary !== undefined) {
    return { nano: divideAwayFromZero(mantissa * binary * NANO, 10n ** BigInt(fraction.length)), format: 'binary' };
  }
  const decimal = ownValue(DECIMAL, suffix);
  const exponent = (decimal ?? Number(suffix.slice(1))) - fraction.length + 9;
  if (Math.abs(exponent) > 100) return undefined;
  const nano =
    exponent >= 0 ? mantissa * 10n ** BigInt(exponent) : divideAwayFromZero(mantissa, 10n ** BigInt(-exponent));
  return { nano, format: decimal === undefined ? 'exponent' : 'decimal' };
}

function divideAwayFromZero(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  if (value % divisor === 0n) return quotient;
  return value < 0n ? quotient - 1n : quotient + 1n;
}

/** The form that the API writes: the largest suffix that leaves a whole number. */
export function formatQuantity({ nano, format }: Quantity): string {
  if (nano === 0n) return '0';
  const size = nano < 0n ? -nano : nano;
  if (format === 'binary' && size >= 1024n * NANO && nano % NANO === 0n) {
    let best = '';
    for (const [suffix, factor] of Object.entries(BINARY)) if ((nano / NANO) % factor === 0n) best = suffix;
    return best === '' ? String(nano / NANO) : `${nano / NANO / ownValue(BINARY, best)!}${best}`;
  }
  let mantissa = nano;
  let exponent = -9;
  const largest = format === 'exponent' ? Number.POSITIVE_INFINITY : 18;
  while (mantissa % 1000n === 0n && exponent < largest) {
    mantissa /= 1000n;
    exponent += 3;
  }
  if (format === 'exponent') return exponent === 0 ? String(mantissa) : `${mantissa}e${exponent}`;
  const suffix = Object.keys(DECIMAL).find((name) => ownValue(DECIMAL, name) === exponent)!;
  return `${mantissa}${suffix}`;
}

/** Canonical text of a quantity's text; undefined where it is none. */
export function canonicalQuantity(text: string): string | undefined {
  const quantity = parseQuantity(text);
  return quantity === undefined ? undefined : formatQuantity(quantity);
}
