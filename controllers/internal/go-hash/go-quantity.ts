/** How many decimal digits fit an int64 for certain. */
const DIGITS = 18;
const WORD = 1n << 64n;

interface Suffix {
  readonly base: 2 | 10;
  readonly exponent: number;
  readonly format: 'DecimalSI' | 'BinarySI' | 'DecimalExponent';
}

const DECIMAL: ReadonlyMap<string, number> = new Map(
  Object.entries({ n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 }),
);
const BINARY: ReadonlyMap<string, number> = new Map(Object.entries({ Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 }));

function interpret(suffix: string): Suffix {
  const decimal = DECIMAL.get(suffix);
  if (decimal !== undefined) return { base: 10, exponent: decimal, format: 'DecimalSI' };
  const binary = BINARY.get(suffix);
  if (binary !== undefined) return { base: 2, exponent: binary, format: 'BinarySI' };
  return { base: 10, exponent: Number(suffix.slice(1)), format: 'DecimalExponent' };
}

/**
 * What a `resource.Quantity` holds after it was parsed from its canonical text, as Go prints it: an int64 and a scale, or
 * an inf.Dec where that might not do; and the text, where it is known to be canonical (`ParseQuantity` in
 * `k8s.io/apimachinery/pkg/api/resource/quantity.go`).
 */
export function dumpQuantity(text: string): string {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(.*)$/.exec(text);
  if (!match || text === '0' || text === '') return dump({ value: 0n, scale: 0, text: '0', format: 'DecimalSI' });
  const [, sign, whole = '', fraction = '', suffix = ''] = match;
  const { base, exponent, format } = interpret(suffix);
  const digits = whole + fraction;
  const negative = sign === '-';
  const value = BigInt(digits === '' ? '0' : digits) * (negative ? -1n : 1n);

  const size = base === 2 ? value * 2n ** BigInt(exponent) : value;
  const scale = (base === 2 ? 0 : exponent) - fraction.length;
  if (fitsInt64(base, exponent, whole.length, fraction.length) && scale >= -9) {
    const canonical =
      base === 2
        ? exponent % 10 === 0 && (value & 7n) !== 0n
        : scale % 3 === 0 && !digits.endsWith('000') && !digits.startsWith('0');
    return dump({ value: size, scale, text: canonical ? text : '', format });
  }
  return dump({ decimal: toNano(size, scale), format });
}

/** Go's guess from the number of digits. */
function fitsInt64(base: 2 | 10, exponent: number, whole: number, fraction: number): boolean {
  if (base === 10) return whole + fraction <= DIGITS;
  return fraction === 0 && 15 - whole - Math.trunc(Math.fround(exponent * 3) / 10) - 1 >= 0;
}

/** In units of 1e-9, rounded away from zero. */
function toNano(size: bigint, scale: number): bigint {
  const shift = scale + 9;
  if (shift >= 0) return size * 10n ** BigInt(shift);
  const unit = 10n ** BigInt(-shift);
  const rest = size % unit;
  return size / unit + (rest === 0n ? 0n : size < 0n ? -1n : 1n);
}

interface Parts {
  readonly value?: bigint;
  readonly scale?: number;
  /** In units of 1e-9. */
  readonly decimal?: bigint;
  readonly text?: string;
  readonly format: string;
}

function dump({ value = 0n, scale = 0, decimal, text = '', format }: Parts): string {
  const amount = `i:(resource.int64Amount){value:(int64)${value} scale:(resource.Scale)${scale}}`;
  const precise = `d:(resource.infDecAmount){Dec:(*inf.Dec)${decimal === undefined ? '<nil>' : dumpDecimal(decimal)}}`;
  return `{${amount} ${precise} s:(string)${text} Format:(resource.Format)${format}}`;
}

function dumpDecimal(decimal: bigint): string {
  const negative = decimal < 0n;
  const words: bigint[] = [];
  for (let rest = negative ? -decimal : decimal; rest > 0n; rest /= WORD) words.push(rest % WORD);
  return `{unscaled:(big.Int){neg:(bool)${negative} abs:(big.nat)[${words.join(' ')}]} scale:(inf.Scale)9}`;
}
