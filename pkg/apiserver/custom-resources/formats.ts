import { ownValue } from '#pkg/base';
import { isIP } from 'node:net';

const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?([0-9a-f])[0-9a-f]{3}-?([0-9a-f])[0-9a-f]{3}-?[0-9a-f]{12}$/i;
const TIME = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})$/;
const LABEL = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;

function isUuid(text: string, version?: string): boolean {
  const match = UUID.exec(text);
  return match !== null && (version === undefined || match[1] === version);
}

function isDate(text: string): boolean {
  const time = Date.parse(`${text}T00:00:00Z`);
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}

function isCidr(text: string): boolean {
  const [address = '', bits = '', ...rest] = text.split('/');
  const family = isIP(address);
  return family !== 0 && rest.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128);
}

function isHostname(text: string): boolean {
  return text.length <= 255 && /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*\.?$/i.test(text);
}

function isUri(text: string): boolean {
  return URL.canParse(text) || text.startsWith('/');
}

/** Formats that strings are held to; others are not looked at (`apiserver/validation/formats.go`). */
const FORMATS: Readonly<Record<string, (text: string) => boolean>> = {
  byte: (text) => /^[A-Za-z0-9+/\r\n]*=*$/.test(text) && text.replace(/[\r\n]/g, '').length % 4 === 0,
  cidr: isCidr,
  date: isDate,
  'date-time': (text) => TIME.test(text) && !Number.isNaN(Date.parse(text)),
  datetime: (text) => TIME.test(text) && !Number.isNaN(Date.parse(text)),
  duration: (text) =>
    /^-?(?:\d+(?:\.\d*)?|\.\d+)\s*(?:ns|us|µs|μs|ms|s|m|h|d|w|[a-z]+)(?:\s*(?:\d+(?:\.\d*)?|\.\d+)\s*[a-zµμ]+)*$/i.test(
      text,
    ) || text === '0',
  email: (text) => /^[^\s@]+@[^\s@]+$/.test(text),
  hexcolor: (text) => /^#?(?:[0-9a-f]{3}|[0-9a-f]{6})$/i.test(text),
  hostname: isHostname,
  ipv4: (text) => isIP(text) === 4,
  ipv6: (text) => isIP(text) === 6,
  'k8s-long-name': (text) => text.length <= 253 && text.split('.').every((part) => LABEL.test(part)),
  'k8s-short-name': (text) => LABEL.test(text),
  mac: (text) => /^(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}$/i.test(text),
  uri: isUri,
  uuid: (text) => isUuid(text),
  uuid3: (text) => isUuid(text, '3'),
  uuid4: (text) => isUuid(text, '4'),
  uuid5: (text) => isUuid(text, '5'),
};

/** Formats of strings; taken as they are where {@link FORMATS} does not have them. */
const OTHERS = ['bsonobjectid', 'isbn', 'isbn10', 'isbn13', 'creditcard', 'ssn', 'rgbcolor', 'password'];
const OF_STRINGS: ReadonlySet<string> = new Set(
  [...Object.keys(FORMATS), ...OTHERS].map((name) => name.replaceAll('-', '')),
);

/** Whether a format says anything of a type; others are ignored, with a warning. */
export function isKnownFormat(type: string, format: string): boolean {
  switch (type) {
    case '':
    case 'string':
      return OF_STRINGS.has(format.replaceAll('-', ''));
    case 'integer':
      return format === 'int32' || format === 'int64';
    case 'number':
      return format === 'float' || format === 'double';
    default:
      return false;
  }
}

export function fitsFormat(format: string, text: string): boolean {
  return ownValue(FORMATS, format)?.(text) ?? true;
}
