import { ownValue, setOwnValue } from '#pkg/base';
import { isIP } from 'node:net';

import type { VModuleRule } from '#pkg/log';

import { formatDuration, parseDuration } from './duration.ts';
import type { AllFlagType, AllFlagValues, NamedCertKey, VersionRequest } from './flag.ts';
import { formatCsv, parseBool, parseCsv, parseFloatText, parseInteger, parseUnsigned } from './go-text.ts';
import { quantityValue } from './quantity.ts';

/** How the values of one type are read and printed, as pflag and Kubernetes' own types do. */
export interface FlagTypeRules<Value> {
  /** `previous` is what earlier uses on the command line gave; lists and maps add to it. Throws an Error with Go's words. */
  parse(text: string, previous: Value | undefined): Value;
  format(value: Value): string;
  /** The value where the flag is given without one. */
  readonly implied?: string;
  /** `--help` shows a default of this text as none. */
  readonly zero: string;
}

export const FLAG_TYPES: { readonly [Type in AllFlagType]: FlagTypeRules<AllFlagValues[Type]> } = {
  bool: { parse: parseBool, format: String, implied: 'true', zero: 'false' },
  string: { parse: (text) => text, format: (value) => value, zero: '' },
  strings: { parse: (text, previous = []) => [...previous, ...parseCsv(text)], format: formatCsv, zero: '[]' },
  duration: { parse: parseDuration, format: formatDuration, zero: '0s' },
  int: { parse: (text) => parseInteger(text, 64), format: String, zero: '0' },
  int32: { parse: (text) => parseInteger(text, 32), format: String, zero: '0' },
  float: { parse: (text) => parseFloatText(text, 64), format: String, zero: '0' },
  float32: { parse: (text) => parseFloatText(text, 32), format: String, zero: '0' },
  int32Slice: {
    parse: (text, previous = []) => [...previous, ...text.split(',').map((item) => parseInteger(item, 32))],
    format: (value) => `[${value.join(',')}]`,
    zero: '',
  },
  ip: { parse: parseIp, format: (value) => (value === '' ? '<nil>' : value), zero: '<nil>' },
  quantity: { parse: parseQuantity, format: (value) => value, zero: '0' },
  stringToString: {
    parse: (text, previous = {}) => ({ ...previous, ...parsePairs(text) }),
    format: (value) => formatCsv(Object.entries(value).map(([key, item]) => `${key}=${item}`)),
    zero: '',
  },
  colonSeparatedMultimapStringString: { parse: parseMultimap, format: formatMultimap, zero: '' },
  namedCertKey: {
    parse: (text, previous = []) => [...previous, parseNamedCertKey(text)],
    format: (value) =>
      `[${value.map((pair) => [`${pair.certFile},${pair.keyFile}`, ...namesOf(pair)].join(':')).join(';')}]`,
    zero: '',
  },
  Level: { parse: parseUnsigned, format: String, zero: '0' },
  'pattern=N,...': {
    parse: parsePatterns,
    format: (value) => value.map((rule) => `${rule.pattern}=${rule.verbosity}`).join(','),
    zero: '',
  },
  'version[=true]': { parse: parseVersionRequest, format: String, implied: 'true', zero: 'false' },
};

function parseIp(text: string): string {
  const address = text.trim();
  if (address !== '' && isIP(address) === 0) throw new Error(`failed to parse IP: ${JSON.stringify(address)}`);
  return address;
}

function parseQuantity(text: string): string {
  quantityValue(text);
  return text;
}

function parsePairs(text: string): Record<string, string> {
  // A single pair may hold commas; only several are a list (pflag's stringToString).
  const single = text.split('=').length === 2;
  const pairs = single ? [text.replaceAll(/^"+|"+$/g, '')] : parseCsv(text);
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 0) throw new Error(`${pair} must be formatted as key=value`);
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

type Multimap = AllFlagValues['colonSeparatedMultimapStringString'];

function parseMultimap(text: string, previous: Multimap = {}): Multimap {
  const result: Record<string, readonly string[]> = { ...previous };
  for (const pair of text.split(',').filter((part) => part !== '')) {
    const at = pair.indexOf(':');
    const key = pair.slice(0, Math.max(at, 0)).trim();
    setOwnValue(result, key, [...(ownValue(result, key) ?? []), pair.slice(at + 1).trim()]);
  }
  return result;
}

function formatMultimap(value: Multimap): string {
  const keys = Object.keys(value).toSorted();
  return keys.flatMap((key) => ownValue(value, key)!.map((item) => `${key}:${item}`)).join(',');
}

function parseNamedCertKey(text: string): NamedCertKey {
  const at = text.indexOf(':');
  const files = (at < 0 ? text : text.slice(0, at)).split(',').map((part) => part.trim());
  const names = at < 0 ? undefined : text.slice(at + 1).trim();
  if (names === '') throw new Error('empty names list is not allowed');
  if (files.length !== 2) throw new Error('expected comma separated certificate and key file paths');
  return { certFile: files[0]!, keyFile: files[1]!, names: names?.split(',').map((name) => name.trim()) ?? [] };
}

function namesOf(pair: NamedCertKey): string[] {
  return pair.names.length > 0 ? [pair.names.join(',')] : [];
}

function parsePatterns(text: string): readonly VModuleRule[] {
  const items = text.split(',').filter((item) => item !== '');
  return items.map((item) => {
    const parts = item.split('=');
    if (parts.length !== 2) throw new Error(`${JSON.stringify(item)} does not have the pattern=N format`);
    const [pattern, level] = parts as [string, string];
    if (pattern === '') throw new Error(`${JSON.stringify(item)} has an empty pattern`);
    try {
      return { pattern, verbosity: parseUnsigned(level) };
    } catch (error) {
      throw new Error(`parsing verbosity in ${JSON.stringify(item)}: ${(error as Error).message}`, { cause: error });
    }
  });
}

function parseVersionRequest(text: string): VersionRequest {
  if (text === 'raw') return 'raw';
  if (text.startsWith('v')) return text as VersionRequest;
  return parseBool(text) ? 'true' : 'false';
}
