import { ExactInteger } from '#pkg/base';

/**
 * JSON as Go's `encoding/json` writes a map: keys in the order of their UTF-8 bytes, and `<`, `>`, `&`, U+2028 and U+2029
 * escaped. Revisions are compared and hashed by these bytes. Members that are null are left out: in typed objects
 * they stand for nothing (servers before 1.34 wrote `creationTimestamp: null` into every template).
 */
export function canonicalJson(value: unknown): string {
  if (typeof value === 'string') return quote(value);
  if (typeof value !== 'object' || value === null || value instanceof ExactInteger) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join()}]`;
  const members = Object.entries(value).filter(([, member]) => member !== null && member !== undefined);
  members.sort(([a], [b]) => compareKeys(a, b));
  return `{${members.map(([key, member]) => `${quote(key)}:${canonicalJson(member)}`).join()}}`;
}

const ESCAPED = /[<>&\u2028\u2029]/g;

function quote(text: string): string {
  return JSON.stringify(text).replace(
    ESCAPED,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** By UTF-16 and by UTF-8 most texts sort alike; surrogates are what differs. */
function compareKeys(a: string, b: string): number {
  return SURROGATES.test(a) || SURROGATES.test(b) ? Buffer.compare(Buffer.from(a), Buffer.from(b)) : a < b ? -1 : 1;
}

const SURROGATES = /[\ud800-\udfff]/;
