import { describeError, ownValue } from '#pkg/base';

import { type Entry, type Severity, mergedFields } from './entry.ts';
import { nestedJson, plainValue } from './values.ts';

const LETTER: Readonly<Record<Severity, string>> = { info: 'I', warning: 'W', error: 'E' };

/**
 * klog's text form (`k8s.io/klog/v2` `internal/buffer` and `internal/serialize`):
 *
 *     I1122 11:01:02.345678    1234 loop.ts:123] "Finished syncing" key="default/web" duration="1.5ms"
 */
export function formatText(entry: Entry): string {
  const { severity, message, error, site } = entry;
  let line = `${LETTER[severity]}${header(entry.time)} ${String(entry.pid).padStart(7)} ${site.file}:${site.line}] ${shownMessage(message)}`;
  if (error !== undefined && error !== null) line += ` err=${text(describeError(error))}`;
  const fields = mergedFields(entry.fields);
  for (const name of Object.keys(fields)) line += ` ${name}=${value(name, ownValue(fields, name))}`;
  return `${line}\n`;
}

/** What begins with a quoted name stands as it is, as klog's unstructured lines do: `"ttl-controller" is disabled`. */
function shownMessage(message: string): string {
  return message.startsWith('"') && quote(message) === JSON.stringify(message) && !/[\n\r]/.test(message)
    ? message
    : quote(message);
}

let lastSecond = -1;
let lastText = '';

/** `1122 11:01:02.345678`, local time; all but the fraction is kept for the rest of the second. */
function header(micros: number): string {
  const second = Math.floor(micros / 1_000_000);
  if (second !== lastSecond) {
    const date = new Date(second * 1000);
    const two = (n: number): string => String(n).padStart(2, '0');
    lastText = `${two(date.getMonth() + 1)}${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
    lastSecond = second;
  }
  return `${lastText}.${String(micros % 1_000_000).padStart(6, '0')}`;
}

function value(name: string, raw: unknown): string {
  const plain = plainValue(name, raw);
  switch (typeof plain) {
    case 'undefined':
      return '<nil>';
    case 'string':
      return text(plain);
    case 'number':
    case 'boolean':
      return String(plain);
    default:
      return plain === null ? '<nil>' : nestedJson(plain);
  }
}

/** One line quoted; more than one as klog sets a block: indented, between `<` and `>`. */
function text(string: string): string {
  if (!string.includes('\n')) return quote(string);
  const lines = string.endsWith('\n') ? string.slice(0, -1).split('\n') : string.split('\n');
  return `<\n${lines.map((line) => `\t${line}`).join('\n')}\n >`;
}

// Everything that Go's strconv.Quote escapes is what this matches; other text is only put in quotes.
// oxlint-disable-next-line no-control-regex
const SPECIAL = /[\u0000-\u001f\u007f"\\\u2028\u2029\ufeff]/g;
const SHORT: Readonly<Record<string, string>> = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '"': '\\"',
  '\\': '\\\\',
};

/** Quotes a text as Go's `strconv.Quote` does. */
export function quote(string: string): string {
  return `"${string.replace(SPECIAL, (char) => ownValue(SHORT, char) ?? escaped(char.charCodeAt(0)))}"`;
}

function escaped(code: number): string {
  return code < 0x80 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
}
