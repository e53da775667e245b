import { isNumber, toBigInt } from '#pkg/base';

import { canonicalQuantity } from './quantity.ts';
import type { ScalarKind } from '../schema/index.ts';

/** The value as Go would hold and write it, or what is wrong with it. */
export type ScalarResult =
  | { readonly value: unknown }
  | { readonly mismatch: string; readonly goType?: string }
  | { readonly error: string };

const QUANTITY_ERROR = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const INT32_MAX = 2n ** 31n - 1n;
const INT64_MAX = 2n ** 63n - 1n;

export function readScalar(kind: ScalarKind, value: unknown, goType: string): ScalarResult {
  switch (kind) {
    case 'string':
      return typeof value === 'string' ? { value } : { mismatch: describe(value) };
    case 'boolean':
      return typeof value === 'boolean' ? { value } : { mismatch: describe(value) };
    case 'int32':
    case 'int64':
      return readInteger(value, kind === 'int32' ? INT32_MAX : INT64_MAX);
    case 'double':
      return isNumber(value) ? { value: value.valueOf() } : { mismatch: describe(value) };
    case 'bytes':
      return readBytes(value);
    case 'quantity':
      return readQuantity(value);
    case 'int-or-string':
      if (typeof value === 'string') return { value };
      return { goType: 'int32', ...readInteger(value, INT32_MAX) };
    case 'time':
    case 'micro-time':
      if (typeof value !== 'string') return { mismatch: describe(value), goType: 'string' };
      return readTime(value, kind === 'micro-time');
    default:
      throw new TypeError(`no scalar ${String(kind satisfies never)} (${goType})`);
  }
}

/** The zero value as Go writes it. */
export function zeroScalar(kind: ScalarKind): unknown {
  switch (kind) {
    case 'string':
      return '';
    case 'boolean':
      return false;
    case 'int32':
    case 'int64':
    case 'double':
    case 'int-or-string':
      return 0;
    case 'quantity':
      return '0';
    case 'bytes':
    case 'time':
    case 'micro-time':
      return null;
  }
}

/** Names a value as encoding/json names what it found. */
export function describe(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  return isNumber(value) ? 'number' : typeof value;
}

function readInteger(value: unknown, max: bigint): ScalarResult {
  if (!isNumber(value)) return { mismatch: describe(value) };
  const integer = toBigInt(value);
  if (integer === undefined || integer > max || integer < -max - 1n) return { mismatch: `number ${value}` };
  return { value };
}

function readBytes(value: unknown): ScalarResult {
  if (typeof value !== 'string') return { mismatch: describe(value) };
  const wrong = /[^A-Za-z0-9+/=\r\n]/.exec(value);
  if (wrong !== null) return { error: `illegal base64 data at input byte ${wrong.index}` };
  const bare = value.replace(/[\r\n]/g, '');
  const bytes = Buffer.from(bare, 'base64');
  const canonical = bytes.toString('base64');
  if (canonical.replace(/=+$/, '').length !== bare.replace(/=+$/, '').length || bare.length % 4 !== 0) {
    return { error: `illegal base64 data at input byte ${bare.length - (bare.length % 4)}` };
  }
  return { value: canonical };
}

function readQuantity(value: unknown): ScalarResult {
  if (typeof value !== 'string' && !isNumber(value)) return { error: QUANTITY_ERROR };
  const text = canonicalQuantity(String(value).trim());
  return text === undefined ? { error: QUANTITY_ERROR } : { value: text };
}

const SECONDS = '2006-01-02T15:04:05Z07:00';
const MICROS = '2006-01-02T15:04:05.000000Z07:00';

function readTime(text: string, micro: boolean): ScalarResult {
  const rest = unparsed(text, micro);
  if (rest !== undefined) {
    return {
      error: `parsing time "${text}" as "${micro ? MICROS : SECONDS}": cannot parse "${rest.found}" as "${rest.wanted}"`,
    };
  }
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) return { error: `parsing time "${text}": day out of range` };
  const seconds = time.toISOString().slice(0, 19);
  return { value: micro ? `${seconds}.${/\.(\d{6})/.exec(text)![1]}Z` : `${seconds}Z` };
}

/** Follows Go's layout piece by piece, to name the one that does not fit. */
function unparsed(text: string, micro: boolean): { found: string; wanted: string } | undefined {
  const pieces: [string, RegExp][] = [
    ['2006', /^\d{4}/],
    ['-', /^-/],
    ['01', /^\d{2}/],
    ['-', /^-/],
    ['02', /^\d{2}/],
    ['T', /^T/],
    ['15', /^\d{2}/],
    [':', /^:/],
    ['04', /^\d{2}/],
    [':', /^:/],
    ['05', /^\d{2}/],
  ];
  pieces.push(micro ? ['.000000', /^\.\d{6}/] : ['', /^(?:\.\d+)?/]);
  pieces.push(['Z07:00', /^(?:Z|[+-]\d{2}:\d{2})/]);
  let rest = text;
  for (const [wanted, form] of pieces) {
    const match = form.exec(rest);
    if (match === null) return { found: rest, wanted };
    rest = rest.slice(match[0].length);
  }
  return rest === '' ? undefined : { found: rest, wanted: '' };
}
