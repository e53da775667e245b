/** FNV-1a, 32 bits, over bytes, or the UTF-8 bytes of a text. */
export function fnv32a(data: string | Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of typeof data === 'string' ? Buffer.from(data, 'utf8') : data) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** FNV-1, 32 bits, over the UTF-8 bytes of `text`: the older order of the two steps, which `fnv.New32` of Go has. */
export function fnv32(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text, 'utf8')) hash = Math.imul(hash, 0x01000193) ^ byte;
  return hash >>> 0;
}

const OFFSET_128 = 0x6c62272e07bb014262b821756295c58dn;
const PRIME_128 = 0x0000000001000000000000000000013bn;

/** FNV-1a, 128 bits, over the UTF-8 bytes of `text`. Slow: for what is hashed once and kept. */
export function fnv128a(text: string): bigint {
  let hash = OFFSET_128;
  for (const byte of Buffer.from(text, 'utf8')) hash = BigInt.asUintN(128, (hash ^ BigInt(byte)) * PRIME_128);
  return hash;
}
