/** How many bits the code of each byte has, and last that of EOS, which stands nowhere (RFC 7541, appendix B). */
const LENGTHS = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28,
  28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6,
  5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23,
  22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22,
  23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26,
  20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27,
  27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27,
  27, 27, 27, 26, 30,
];
const EOS = 256;
const SHORTEST = 5;
const LONGEST = 30;

/**
 * The code is canonical: shorter codes are smaller, and codes of one length follow each other in the order of their
 * symbols. So the lengths are all there is to know. Symbols in the order of their codes, and by length, the first number
 * that is no code any more and how far codes are from their symbol's place. Made in one pass, for every start pays for it.
 */
const SYMBOLS: number[] = [];
const BEYOND: number[] = [];
const OFFSET: number[] = [];
{
  const byLength: number[][] = Array.from({ length: LONGEST + 1 }, () => []);
  for (const [symbol, length] of LENGTHS.entries()) byLength[length]!.push(symbol);
  let code = 0;
  for (const symbols of byLength) {
    code *= 2;
    OFFSET.push(SYMBOLS.length - code);
    code += symbols.length;
    BEYOND.push(code);
    SYMBOLS.push(...symbols);
  }
}

/** What a text encoded with the code of RFC 7541 says, a character a byte. Throws a RangeError for what is not encoded so. */
export function decodeHuffman(bytes: Uint8Array, from: number, to: number): string {
  let text = '';
  let code = 0;
  let length = 0;
  for (let at = from; at < to; at++) {
    const byte = bytes[at]!;
    for (let bit = 7; bit >= 0; bit--) {
      code = (code << 1) | ((byte >> bit) & 1);
      length++;
      if (length < SHORTEST || code >= BEYOND[length]!) continue;
      const symbol = SYMBOLS[OFFSET[length]! + code]!;
      if (symbol === EOS) throw new RangeError('the end of the text within it');
      text += String.fromCharCode(symbol);
      code = 0;
      length = 0;
    }
  }
  // The last byte is filled up with the beginning of EOS, which is all ones.
  if (length > 7 || code !== (1 << length) - 1) throw new RangeError('a text that ends within a character');
  return text;
}
