/**
 * An integer that a double cannot hold, as it was written: 9007199254740993, which as a number would be …992. Everything
 * of it that matters works as with a number (arithmetic and comparison round, as they have to), and JSON.stringify writes
 * its digits back. `typeof` says object.
 */
export class ExactInteger {
  readonly source: string;

  constructor(source: string) {
    this.source = source;
  }

  valueOf(): number {
    return Number(this.source);
  }

  toString(): string {
    return this.source;
  }

  toJSON(): unknown {
    return rawJson(this.source);
  }
}

/** ECMAScript's `JSON.rawJSON`, which TypeScript's libraries do not declare yet. */
const { rawJSON: rawJson } = JSON as unknown as { readonly rawJSON: (text: string) => unknown };

/** Every integer of fewer digits is a safe one. */
const LONG = 16;
const ZERO = 0x30;
const NINE = 0x39;

/**
 * Parses JSON, and keeps integers that a double cannot hold as {@link ExactInteger}. A text without a long run of digits, which is nearly every one, is parsed as
 * ever: the look for one reads every sixteenth character. Throws a SyntaxError that says where, and nothing of what: the
 * text may be a token or a Secret, and the messages of JSON.parse quote it.
 */
export function parseJson(text: string): unknown {
  try {
    return hasLongNumber(text) ? (JSON.parse(text, keepExact) as unknown) : (JSON.parse(text) as unknown);
  } catch (error) {
    throw new SyntaxError(`not valid JSON${placeIn(error)}`);
  }
}

function placeIn(error: unknown): string {
  const at = error instanceof Error ? / at position (\d+)/.exec(error.message)?.[1] : undefined;
  return at === undefined ? '' : ` at position ${at}`;
}

/**
 * An integer as a field of an object holds it: a number where a double is exact, else an {@link ExactInteger}. Typed as a
 * number, as the field is.
 */
export function exactInteger(value: bigint): number {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : (new ExactInteger(String(value)) as unknown as number);
}

/** The integer after `value`, or after 0 where there is none; it wraps at 64 bits, as in Go. */
export function nextInteger(value: number | undefined): number {
  return exactInteger(BigInt.asIntN(64, (toBigInt(value) ?? 0n) + 1n));
}

/** Orders integers of fields exactly: negative, zero or positive. */
export function compareIntegers(a: number, b: number): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  const [left, right] = [toBigInt(a) ?? 0n, toBigInt(b) ?? 0n];
  return left < right ? -1 : Number(left > right);
}

/** Whether a value is a number, be it one that no double holds. */
export function isNumber(value: unknown): value is number {
  return typeof value === 'number' || value instanceof ExactInteger;
}

/** The exact value of an integer; undefined for what is none. */
export function toBigInt(value: unknown): bigint | undefined {
  if (value instanceof ExactInteger) return BigInt(value.source);
  return typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : undefined;
}

function hasLongNumber(text: string): boolean {
  for (let at = LONG - 1; at < text.length; at += LONG) {
    if (!isDigit(text, at)) continue;
    let first = at;
    while (first > 0 && isDigit(text, first - 1)) first--;
    let end = at + 1;
    while (end < text.length && isDigit(text, end)) end++;
    if (end - first >= LONG) return true;
  }
  return false;
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= ZERO && code <= NINE;
}

function keepExact(_key: string, value: unknown, { source }: { readonly source?: string } = {}): unknown {
  if (typeof value !== 'number' || source === undefined || Number.isSafeInteger(value)) return value;
  return /^-?\d+$/.test(source) ? new ExactInteger(source) : value;
}
