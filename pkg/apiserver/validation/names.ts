import { isIP } from 'node:net';

/*
 * What names may look like (`k8s.io/apimachinery/pkg/util/validation`). Each function gives what is wrong, in upstream's words;
 * nothing where the value is fine.
 */

const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const LABEL_1035 = '[a-z]([-a-z0-9]*[a-z0-9])?';
const SUBDOMAIN = '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*';
const QUALIFIED = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const LABEL_VALUE = '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?';
const CONFIG_KEY = '[-._a-zA-Z0-9]+';
const PERCENTAGE = '[0-9]+%';
const WILDCARD = '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*';

function mismatch(words: string, pattern: string, ...examples: readonly string[]): string {
  const shown = examples.map((example, index) => `${index === 0 ? '' : ' or '}'${example}', `).join('');
  return `${words} (e.g. ${shown}regex used for validation is '${pattern}')`;
}

/** What is wrong with a value that has to match `pattern` as a whole: nothing, or `words` with examples. */
export function regexErrors(value: string, words: string, pattern: string, ...examples: readonly string[]): string[] {
  return matches(value, pattern) ? [] : [mismatch(words, pattern, ...examples)];
}

function matches(value: string, pattern: string): boolean {
  return new RegExp(`^${pattern}$`).test(value);
}

function noLongerThan(value: string, limit: number, unit: 'characters' | 'bytes'): string[] {
  const length = unit === 'bytes' ? Buffer.byteLength(value) : value.length;
  return length > limit ? [`must be no more than ${limit} ${unit}`] : [];
}

/** RFC 1123 label: `my-name`. */
export function labelErrors(value: string): string[] {
  const words =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";
  const errors = noLongerThan(value, 63, 'characters');
  if (!matches(value, LABEL)) errors.push(mismatch(words, LABEL, 'my-name', '123-abc'));
  return errors;
}

/** RFC 1035 label: starts with a letter. */
export function label1035Errors(value: string): string[] {
  const words =
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character";
  const errors = noLongerThan(value, 63, 'characters');
  if (!matches(value, LABEL_1035)) errors.push(mismatch(words, LABEL_1035, 'my-name', 'abc-123'));
  return errors;
}

/** RFC 1123 subdomain: `example.com`. */
export function subdomainErrors(value: string): string[] {
  const words =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";
  const errors = noLongerThan(value, 253, 'characters');
  if (!matches(value, SUBDOMAIN)) errors.push(mismatch(words, SUBDOMAIN, 'example.com'));
  return errors;
}

export function wildcardErrors(value: string): string[] {
  const words =
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character";
  const errors = noLongerThan(value, 253, 'characters');
  if (!matches(value, WILDCARD)) errors.push(mismatch(words, WILDCARD, '*.example.com'));
  return errors;
}

/** What may stand between two slashes of a path. */
export function pathSegmentErrors(value: string): string[] {
  if (value === '.' || value === '..') return [`may not be '${value}'`];
  return ['/', '%'].filter((char) => value.includes(char)).map((char) => `may not contain '${char}'`);
}

/** Keys of labels and annotations: `[prefix/]name`. */
export function qualifiedNameErrors(value: string): string[] {
  const parts = value.split('/');
  const name = parts.at(-1)!;
  const words =
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
  const errors: string[] = [];
  if (parts.length > 2) {
    const qualified = mismatch(`a qualified name ${words}`, QUALIFIED, 'MyName', 'my.name', '123-abc');
    return [`${qualified} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  }
  if (parts.length === 2) {
    if (parts[0] === '') errors.push('prefix part must be non-empty');
    else errors.push(...subdomainErrors(parts[0]!).map((error) => `prefix part ${error}`));
  }
  if (name === '') errors.push('name part must be non-empty');
  else errors.push(...noLongerThan(name, 63, 'characters').map((error) => `name part ${error}`));
  if (!matches(name, QUALIFIED)) errors.push(`name part ${mismatch(words, QUALIFIED, 'MyName', 'my.name', '123-abc')}`);
  return errors;
}

export function labelValueErrors(value: string): string[] {
  const words =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
  const errors = noLongerThan(value, 63, 'bytes');
  if (!matches(value, LABEL_VALUE)) errors.push(mismatch(words, LABEL_VALUE, 'MyValue', 'my_value', '12345'));
  return errors;
}

export function configKeyErrors(value: string): string[] {
  const words = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'";
  const errors = noLongerThan(value, 253, 'characters');
  if (!matches(value, CONFIG_KEY)) errors.push(mismatch(words, CONFIG_KEY, 'key.name', 'KEY_NAME', 'key-name'));
  return errors;
}

export function environmentNameErrors(value: string): string[] {
  if (/^[ -<>-~]+$/.test(value)) return [];
  return ["a valid environment variable name must consist only of printable ASCII characters other than '='"];
}

export function percentageErrors(value: string): string[] {
  if (matches(value, PERCENTAGE)) return [];
  return [
    mismatch("a valid percent string must be a numeric string followed by an ending '%'", PERCENTAGE, '1%', '93%'),
  ];
}

/** IANA service names: those of ports. */
export function portNameErrors(value: string): string[] {
  const errors = noLongerThan(value, 15, 'characters');
  if (!/^[-a-z0-9]+$/.test(value))
    errors.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  if (!/[a-z]/.test(value)) errors.push('must contain at least one letter (a-z)');
  if (value.includes('--')) errors.push('must not contain consecutive hyphens');
  if (value.startsWith('-') || value.endsWith('-')) errors.push('must not begin or end with a hyphen');
  return errors;
}

export function portNumberErrors(value: number): string[] {
  return value >= 1 && value <= 65_535 ? [] : ['must be between 1 and 65535, inclusive'];
}

export function addressErrors(value: string): string[] {
  return isIP(value) === 0 ? ['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'] : [];
}

/** User and group ids. */
export function idErrors(value: number): string[] {
  return value >= 0 && value <= 2_147_483_647 ? [] : ['must be between 0 and 2147483647, inclusive'];
}
