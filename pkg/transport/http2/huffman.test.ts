import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { decodeHuffman } from './huffman.ts';

const decoded = (hex: string): string => {
  const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex');
  return decodeHuffman(bytes, 0, bytes.length);
};

describe('texts in the code of HPACK', () => {
  test.each([
    // RFC 7541, C.4 and C.6.
    ['f1e3 c2e5 f23a 6ba0 ab90 f4ff', 'www.example.com'],
    ['a8eb 1064 9cbf', 'no-cache'],
    ['25a8 49e9 5ba9 7d7f', 'custom-key'],
    ['25a8 49e9 5bb8 e8b4 bf', 'custom-value'],
    ['6402', '302'],
    ['640e ff', '307'],
    ['aec3 771a 4b', 'private'],
    ['d07a be94 1054 d444 a820 0595 040b 8166 e082 a62d 1bff', 'Mon, 21 Oct 2013 20:13:21 GMT'],
    ['9d29 ad17 1863 c78f 0b97 c8e9 ae82 ae43 d3', 'https://www.example.com'],
    [
      '94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07',
      'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1',
    ],
    ['', ''],
    // The longest code of a byte, 30 bits: a line feed.
    ['ffff fff3', '\n'],
  ])('%s', (hex, text) => {
    expect(decoded(hex)).toBe(text);
  });

  test.each([
    ['a character that is not whole', 'f1 e3 c2 e5 f2'],
    ['filled up with zeros', 'a8eb 1064 9cb0'],
    ['filled up with a whole byte', 'a8eb 1064 9cbf ff'],
    ['nothing but filling', 'ff'],
    ['the end of text as a character', 'ffff ffff'],
    ['half a character', 'fe'],
  ])('%s is none', (_what, hex) => {
    expect(() => decoded(hex)).toThrow(RangeError);
  });

  test('any bytes are a text or none, and each text has but one form', () => {
    const seen = new Map<string, string>();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3 }), (bytes) => {
        const hex = Buffer.from(bytes).toString('hex');
        let text;
        try {
          text = decodeHuffman(bytes, 0, bytes.length);
        } catch (error) {
          return error instanceof RangeError;
        }
        const before = seen.get(text);
        seen.set(text, hex);
        return before === undefined || before === hex;
      }),
      { numRuns: 2000 },
    );
  });
});
