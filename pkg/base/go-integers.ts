/**
 * Reads decimal digits with or without a sign as `strconv.ParseInt(text, 10, bits)` of Go does: `+5` and `007` are read,
 * spaces, underscores and anything out of range are not. Undefined where Go returns an error.
 */
export function parseGoInteger(text: string | undefined, bits: 32 | 64): bigint | undefined {
  if (text === undefined || !/^[+-]?[0-9]+$/.test(text)) return undefined;
  const value = BigInt(text.startsWith('+') ? text.slice(1) : text);
  return BigInt.asIntN(bits, value) === value ? value : undefined;
}

/** The same for 32 bits, which a number holds. */
export function parseInt32(text: string | undefined): number | undefined {
  const value = parseGoInteger(text, 32);
  return value === undefined ? undefined : Number(value);
}

/** Reads a natural number up to the largest int32; a sign is an error, as with `strconv.ParseUint`. */
export function parseNatural32(text: string | undefined): number | undefined {
  return text !== undefined && /^[0-9]/.test(text) ? parseInt32(text) : undefined;
}
