/**
 * The little of DER (X.690) that a self-signed certificate takes. A certificate library costs 60 ms and 10 MB at start,
 * for one certificate in most installations; who needs more than this uses one.
 */
type Der = Uint8Array;

function tagged(tag: number, ...parts: readonly Der[]): Der {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag, ...lengthOf(content.length)]), content]);
}

function lengthOf(length: number): number[] {
  if (length < 0x80) return [length];
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest >>= 8) bytes.unshift(rest & 0xff);
  return [0x80 | bytes.length, ...bytes];
}

export const sequence = (...parts: readonly Der[]): Der => tagged(0x30, ...parts);
export const set = (...parts: readonly Der[]): Der => tagged(0x31, ...parts);
export const octets = (content: Der): Der => tagged(0x04, content);
export const bits = (content: Der, unused = 0): Der => tagged(0x03, Buffer.from([unused]), content);
export const boolean = (value: boolean): Der => tagged(0x01, Buffer.from([value ? 0xff : 0]));
export const utf8 = (text: string): Der => tagged(0x0c, Buffer.from(text));
/** Constructed, `[n] EXPLICIT`. */
export const explicit = (n: number, ...parts: readonly Der[]): Der => tagged(0xa0 | n, ...parts);
/** Primitive, `[n] IMPLICIT`. */
export const implicit = (n: number, content: Der): Der => tagged(0x80 | n, content);

/** A number of any size, positive, most significant byte first. */
export function integer(bytes: Der): Der {
  const first = bytes.findIndex((byte) => byte !== 0);
  const significant = first < 0 ? Buffer.from([0]) : bytes.subarray(first);
  return tagged(0x02, significant[0]! & 0x80 ? Buffer.from([0]) : Buffer.alloc(0), significant);
}

/** `2.5.29.17` */
export function objectId(dotted: string): Der {
  const [first, second, ...rest] = dotted.split('.').map(Number) as [number, number, ...number[]];
  const bytes = [first * 40 + second, ...rest.flatMap(base128)];
  return tagged(0x06, Buffer.from(bytes));
}

function base128(value: number): number[] {
  const bytes = [value & 0x7f];
  for (let rest = value >> 7; rest > 0; rest >>= 7) bytes.unshift((rest & 0x7f) | 0x80);
  return bytes;
}

/** UTCTime up to 2049, GeneralizedTime after it (RFC 5280, 4.1.2.5). */
export function time(milliseconds: number): Der {
  const digits = new Date(milliseconds).toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  return Number(digits.slice(0, 4)) < 2050
    ? tagged(0x17, Buffer.from(digits.slice(2)))
    : tagged(0x18, Buffer.from(digits));
}

export function pem(label: string, der: Der): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
