/** FNV-1a, 32 bits, over bytes, or the UTF-8 bytes of a text. */
export function fnv32a(data: string | Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of typeof data === 'string' ? Buffer.from(data, 'utf8') : data)
    hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** FNV-1, 32 bits, over the UTF-8 bytes of `text`: the older order of the two steps, which `fnv.New32` of Go has. */
export function fnv32(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text, 'utf8')) hash = Math.imul(hash, 0x01000193) ^ byte;
  return hash >>> 0;
}

/**
 * FNV-1a, 128 bits, over the UTF-8 bytes of `text`. Counts in eight numbers of 16 bits, lowest first, at a
 * fraction of the cost of a big one. The prime is 2^88 + 315: a product is one of 315 and a shift by five and a half numbers.
 */
export function fnv128a(text: string): bigint {
  const bytes = Buffer.from(text, 'utf8');
  let a = 0xc58d;
  let b = 0x6295;
  let c = 0x2175;
  let d = 0x62b8;
  let e = 0x0142;
  let f = 0x07bb;
  let g = 0x272e;
  let h = 0x6c62;
  // Not by iterator, which would cost more than the arithmetic.
  for (let i = 0; i < bytes.length; i++) {
    a ^= bytes[i]!;
    const p = a * 315;
    const q = b * 315 + (p >>> 16);
    const r = c * 315 + (q >>> 16);
    const s = d * 315 + (r >>> 16);
    const t = e * 315 + (s >>> 16);
    const u = f * 315 + (t >>> 16) + ((a << 8) & 0xffff);
    const v = g * 315 + (u >>> 16) + (((b << 8) | (a >>> 8)) & 0xffff);
    h = (h * 315 + (v >>> 16) + (((c << 8) | (b >>> 8)) & 0xffff)) & 0xffff;
    a = p & 0xffff;
    b = q & 0xffff;
    c = r & 0xffff;
    d = s & 0xffff;
    e = t & 0xffff;
    f = u & 0xffff;
    g = v & 0xffff;
  }
  return [h, g, f, e, d, c, b, a].reduce((hash, part) => (hash << 16n) | BigInt(part), 0n);
}
