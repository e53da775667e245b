import { ownValue } from '#pkg/base';

const FORM = /^([+-]?)(\d+\.?\d*|\.\d+)(|[numkMGTPE]|[KMGTPE]i|[eE][+-]?\d+)$/;

const SCALES: Readonly<Record<string, number>> = {
  '': 1,
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** Whole bytes of a quantity (`512`, `1k`, `2Mi`), rounded up; throws as `resource.ParseQuantity` words it. */
export function quantityValue(text: string): number {
  const match = FORM.exec(text);
  if (!match) {
    throw new Error(
      String.raw`quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'`,
    );
  }
  const [, sign, digits, suffix] = match as unknown as [string, string, string, string];
  const scale = ownValue(SCALES, suffix) ?? 10 ** Number(suffix.slice(1));
  return Math.ceil((sign === '-' ? -1 : 1) * Number(digits) * scale);
}
