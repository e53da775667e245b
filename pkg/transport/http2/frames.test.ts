import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { rawFrame } from '#pkg/testing';

import {
  CODE,
  FLAG,
  FRAME,
  FrameReader,
  ProtocolError,
  frame,
  frameHead,
  goAwayFrame,
  headerBlock,
  numberFrame,
  settingsFrame,
  withoutPadding,
} from './frames.ts';

interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

const LARGEST = 300;
const anyFrame: fc.Arbitrary<Frame> = fc.record({
  type: fc.nat(255),
  flags: fc.nat(255),
  stream: fc.nat(2 ** 31 - 1),
  payload: fc.uint8Array({ maxLength: LARGEST }).map((bytes) => Buffer.from(bytes)),
});

function chunksOf(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const end = at + (sizes.length === 0 ? bytes.length : sizes[i % sizes.length]!);
    // Copies, as the bytes behind a chunk must not be looked at.
    chunks.push(Buffer.from(bytes.subarray(at, end)));
    at = end;
  }
  return chunks;
}

test('frames are the same however they are cut, and written as they are read', () => {
  fc.assert(
    fc.property(
      fc.array(anyFrame, { maxLength: 20 }),
      fc.array(fc.integer({ min: 1, max: 700 }), { maxLength: 8 }),
      (frames, sizes) => {
        const raw = Buffer.concat(
          frames.map(({ type, flags, stream, payload }) => rawFrame(type, flags, stream, payload)),
        );
        const written = Buffer.concat(
          frames.flatMap(({ type, flags, stream, payload }, i) =>
            i % 2 ? [frame(type, flags, stream, payload)] : [frameHead(type, flags, stream, payload.length), payload],
          ),
        );
        expect(written).toEqual(raw);
        const seen: Frame[] = [];
        const reader = new FrameReader(
          (type, flags, stream, payload) => seen.push({ type, flags, stream, payload: Buffer.from(payload) }),
          LARGEST,
        );
        for (const chunk of chunksOf(raw, sizes)) reader.push(chunk);
        expect(seen).toEqual(frames);
      },
    ),
  );
});

test('the first bit of a stream means nothing', () => {
  const seen: number[] = [];
  new FrameReader((_type, _flags, stream) => seen.push(stream), LARGEST).push(rawFrame(0, 0, 2 ** 31 + 5));
  expect(seen).toEqual([5]);
});

test('a frame that is too large is refused when its head is there', () => {
  const reader = new FrameReader(() => {}, LARGEST);
  const bytes = rawFrame(0, 0, 1, Buffer.alloc(LARGEST + 1));
  reader.push(bytes.subarray(0, 8));
  expect(() => reader.push(bytes.subarray(8, 9))).toThrow(expect.objectContaining({ code: CODE.FRAME_SIZE_ERROR }));
});

test.each([
  [
    'settings',
    settingsFrame([
      [2, 0],
      [4, 2 ** 32 - 1],
    ]),
    '00000c 04 00 00000000 0002 00000000 0004 ffffffff',
  ],
  ['a reset', numberFrame(FRAME.RST_STREAM, 7, 8), '000004 03 00 00000007 00000008'],
  ['a farewell', goAwayFrame(3, 11), '000008 07 00 00000000 00000003 0000000b'],
])('%s', (_what, bytes, hex) => {
  expect(bytes.toString('hex')).toBe(hex.replaceAll(' ', ''));
});

describe('padding', () => {
  const { PADDED, PRIORITY } = FLAG;
  test.each([
    ['none', withoutPadding(0, Buffer.from('\x02ab')), '\x02ab'],
    ['of no byte', withoutPadding(PADDED, Buffer.from('\x00ab')), 'ab'],
    ['of one', withoutPadding(PADDED, Buffer.from('\x01ab')), 'a'],
    ['of all', withoutPadding(PADDED, Buffer.from('\x02ab')), ''],
    ['before and behind a priority', headerBlock(PADDED | PRIORITY, Buffer.from('\x0112345ab')), 'a'],
  ])('%s', (_what, bytes, expected) => {
    expect(bytes.toString()).toBe(expected);
  });

  test.each(['', '\x01', '\x03ab'])('%j is more than there is', (payload) => {
    expect(() => withoutPadding(PADDED, Buffer.from(payload))).toThrow(ProtocolError);
  });
});
