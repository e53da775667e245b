/** A source of numbers in [0, 1). Tests pass a seeded one and print the seed. */
export type Random = () => number;

export const systemRandom: Random = Math.random;

/** A small seeded generator (mulberry32): the same seed gives the same numbers. Not for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** The alphabet of generated names: no vowels and no look-alikes, so that no words appear by chance. */
const NAME_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

/** `length` characters fit for a generated object name, as the API server appends to `generateName`. */
export function randomNameSuffix(random: Random, length = 5): string {
  let text = '';
  for (let i = 0; i < length; i++) text += NAME_ALPHABET[Math.floor(random() * NAME_ALPHABET.length)];
  return text;
}

/** Maps the decimal digits of a hash onto the same alphabet (`rand.SafeEncodeString` of apimachinery). */
export function safeEncode(text: string): string {
  let encoded = '';
  for (let i = 0; i < text.length; i++) encoded += NAME_ALPHABET[text.charCodeAt(i) % NAME_ALPHABET.length];
  return encoded;
}

/** `value` stretched by a random factor in [1, 1 + factor) (`wait.Jitter`). */
export function jitter(random: Random, value: number, factor: number): number {
  return value * (1 + random() * factor);
}
