/**
 * Numbers, truth values and lists as Go's strconv and pflag read them. Everything throws an Error worded as there, to be
 * put behind `invalid argument "x" for "--flag" flag: `.
 */

/** `strconv.ParseBool`. */
export function parseBool(text: string): boolean {
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text)) return true;
  if (['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(text)) return false;
  throw syntaxError('ParseBool', text);
}

const INTEGER = /^([+-]?)(0[xX][\da-fA-F_]+|0[bB][01_]+|0[oO]?[0-7_]+|[1-9][\d_]*|0)$/;

/** `strconv.ParseInt(text, 0, bits)`: also hexadecimal, octal and binary. */
export function parseInteger(text: string, bits: 32 | 64): number {
  const match = INTEGER.exec(text);
  if (!match) throw syntaxError('ParseInt', text);
  const digits = match[2]!.replaceAll('_', '').replace(/^0(?=\d)/, '0o');
  const value = BigInt(digits) * (match[1] === '-' ? -1n : 1n);
  const limit = 1n << BigInt(bits - 1);
  if (value < -limit || value >= limit) throw rangeError('ParseInt', text);
  return Number(value);
}

/** `strconv.ParseUint(text, 10, 32)`. */
export function parseUnsigned(text: string): number {
  if (!/^\d+$/.test(text)) throw syntaxError('ParseUint', text);
  const value = Number(text);
  if (value >= 2 ** 32) throw rangeError('ParseUint', text);
  return value;
}

/** `strconv.ParseFloat`, without its hexadecimal forms. */
export function parseFloatText(text: string, bits: 32 | 64): number {
  if (!/^[+-]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) throw syntaxError('ParseFloat', text);
  const value = Number(text.replaceAll('_', ''));
  if (!Number.isFinite(bits === 32 ? Math.fround(value) : value)) throw rangeError('ParseFloat', text);
  return value;
}

function syntaxError(name: string, text: string): Error {
  return new Error(`strconv.${name}: parsing ${JSON.stringify(text)}: invalid syntax`);
}

function rangeError(name: string, text: string): Error {
  return new Error(`strconv.${name}: parsing ${JSON.stringify(text)}: value out of range`);
}

/** One record of comma-separated values, as pflag reads string slices: fields may be quoted, quotes doubled inside. */
export function parseCsv(text: string): string[] {
  if (text === '') return [];
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    const quoted = /"((?:[^"]|"")*)"(?=,|$)/y;
    quoted.lastIndex = at;
    const match = quoted.exec(text);
    if (match) {
      fields.push(match[1]!.replaceAll('""', '"'));
      at = quoted.lastIndex;
    } else {
      const comma = text.indexOf(',', at);
      const end = comma < 0 ? text.length : comma;
      const field = text.slice(at, end);
      if (field.includes('"'))
        throw new Error(`parse error on line 1, column ${at + field.indexOf('"') + 1}: bare " in non-quoted-field`);
      fields.push(field);
      at = end;
    }
    if (at >= text.length) return fields;
    at++;
  }
}

/** Prints a list as pflag prints a string slice: `[a,b]`, quoting what would not read back. */
export function formatCsv(fields: readonly string[]): string {
  return `[${fields.map((field) => (/[",\r\n]|^\s/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)).join(',')}]`;
}
