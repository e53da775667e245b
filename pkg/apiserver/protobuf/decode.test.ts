import { describe, expect, test } from 'vitest';

import { isApiError } from '#pkg/api';

import { decodeProtobuf } from './decode.ts';

/** A field of bytes or text. */
function bytes(field: number, content: string | Uint8Array): Buffer {
  const body = Buffer.from(content as Uint8Array);
  return Buffer.concat([varint((field << 3) | 2), varint(body.length), body]);
}

function integer(field: number, value: number | bigint): Buffer {
  return Buffer.concat([varint(field << 3), varint(BigInt.asUintN(64, BigInt(value)))]);
}

function varint(value: number | bigint): Buffer {
  const out: number[] = [];
  let rest = BigInt(value);
  do {
    out.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Buffer.from(out);
}

function message(...fields: readonly Buffer[]): Buffer {
  return Buffer.concat(fields);
}

function envelope(apiVersion: string, kind: string, raw: Buffer): Buffer {
  return message(
    Buffer.from('k8s\0'),
    bytes(1, message(bytes(1, apiVersion), bytes(2, kind))),
    bytes(2, raw),
    bytes(3, ''),
    bytes(4, ''),
  );
}

const meta = (name: string): Buffer => bytes(1, message(bytes(1, name), bytes(2, ''), bytes(8, '')));

describe('a protobuf body', () => {
  test('of maps and bytes', () => {
    const body = message(
      meta('s'),
      bytes(2, message(bytes(1, 'key'), bytes(2, Buffer.from([0, 255])))),
      bytes(3, 'Opaque'),
    );
    expect(decodeProtobuf(envelope('v1', 'Secret', body))).toEqual({
      kind: 'Secret',
      apiVersion: 'v1',
      metadata: { name: 's', generateName: '', creationTimestamp: null },
      data: { key: 'AP8=' },
      type: 'Opaque',
    });
  });

  test('of nested structs, repeated fields, inlined structs, quantities and int-or-strings', () => {
    // core.v1.Volume has its source inlined as field 2, whose 19th is a ConfigMap with an inlined name.
    const volume = message(bytes(1, 'v'), bytes(2, bytes(19, bytes(1, bytes(1, 'config')))));
    const port = message(bytes(1, 'http'), integer(3, 80));
    const requests = bytes(1, '100m');
    const resources = message(bytes(2, message(bytes(1, 'cpu'), bytes(2, requests))));
    const container = message(
      bytes(1, 'c'),
      bytes(2, 'image'),
      bytes(3, 'a'),
      bytes(3, 'b'),
      bytes(6, port),
      bytes(8, resources),
    );
    const spec = message(bytes(1, volume), bytes(2, container), bytes(3, 'Always'), integer(4, -1));
    expect(decodeProtobuf(envelope('v1', 'Pod', message(meta('p'), bytes(2, spec))))).toMatchObject({
      metadata: { name: 'p' },
      spec: {
        volumes: [{ name: 'v', configMap: { name: 'config' } }],
        containers: [
          {
            name: 'c',
            image: 'image',
            command: ['a', 'b'],
            ports: [{ name: 'http', containerPort: 80 }],
            resources: { requests: { cpu: '100m' } },
          },
        ],
        restartPolicy: 'Always',
        terminationGracePeriodSeconds: -1,
      },
    });
  });

  test.each([
    ['a number', message(integer(1, 0), integer(2, 3)), 3],
    ['a text', message(integer(1, 1), integer(2, 0), bytes(3, '25%')), '25%'],
  ])('with %s where either may stand', (_, value, expected) => {
    const budget = message(meta('b'), bytes(2, bytes(1, value)));
    expect(decodeProtobuf(envelope('policy/v1', 'PodDisruptionBudget', budget))).toMatchObject({
      spec: { minAvailable: expected },
    });
  });

  test('with times, to the second and to the microsecond', () => {
    const time = message(integer(1, 1_767_225_600), integer(2, 123_456_000));
    const lease = message(meta('l'), bytes(2, message(bytes(1, 'me'), integer(2, 15), bytes(3, time))));
    expect(decodeProtobuf(envelope('coordination.k8s.io/v1', 'Lease', lease))).toMatchObject({
      spec: { holderIdentity: 'me', leaseDurationSeconds: 15, acquireTime: '2026-01-01T00:00:00.123456Z' },
    });
    const event = message(meta('e'), bytes(6, time));
    expect(decodeProtobuf(envelope('v1', 'Event', event))).toMatchObject({ firstTimestamp: '2026-01-01T00:00:00Z' });
  });

  test.each([
    ['no prefix', Buffer.from('{"kind":"Pod"}')],
    ['a length beyond its end', envelope('v1', 'Pod', message(Buffer.from([0x0a, 0x7f])))],
    ['an unknown kind', envelope('v1', 'Nothing', Buffer.alloc(0))],
  ])('with %s is refused', (_, body) => {
    let refused: unknown;
    try {
      decodeProtobuf(body);
    } catch (error) {
      refused = error;
    }
    expect(isApiError(refused, 'BadRequest')).toBe(true);
  });
});
