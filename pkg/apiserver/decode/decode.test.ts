import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ApiError } from '#pkg/api';
import type { JsonObject } from '../json.ts';
import { schemaFor } from '../schema/index.ts';
import {
  canonicalQuantity,
  decodeObject,
  decodePatched,
  formatQuantity,
  parseBody,
  parseQuantity,
  scanJson,
} from './index.ts';

const deployment = schemaFor('apps', 'v1', 'Deployment')!;
const WARN = { strict: 'Warn' } as const;
const handled = 'Deployment in version "v1" cannot be handled as a Deployment: ';
const unrecognized =
  "the object provided is unrecognized (must be of type Deployment): couldn't get version/kind; json parse error: ";

describe('decodeObject', () => {
  // Each message is what kube-apiserver 1.36.2 answered to the same body.
  it.each([
    [
      '{"spec":{"replicas":"3"}}',
      `${handled}json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32`,
    ],
    [
      '{"spec":{"replicas":3.5}}',
      `${handled}json: cannot unmarshal number 3.5 into Go struct field DeploymentSpec.spec.replicas of type int32`,
    ],
    [
      '{"spec":{"replicas":3000000000}}',
      `${handled}json: cannot unmarshal number 3000000000 into Go struct field DeploymentSpec.spec.replicas of type int32`,
    ],
    [
      '{"metadata":{"name":5}}',
      `${handled}json: cannot unmarshal number into Go struct field ObjectMeta.metadata.name of type string`,
    ],
    [
      '{"metadata":[]}',
      `${handled}json: cannot unmarshal array into Go struct field Deployment.metadata of type v1.ObjectMeta`,
    ],
    [
      '{"metadata":{"labels":{"a":1}}}',
      `${handled}json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string`,
    ],
    [
      '{"metadata":{"labels":[]}}',
      `${handled}json: cannot unmarshal array into Go struct field ObjectMeta.metadata.labels of type map[string]string`,
    ],
    [
      '{"metadata":{"creationTimestamp":5}}',
      `${handled}json: cannot unmarshal number into Go struct field ObjectMeta.metadata.creationTimestamp of type string`,
    ],
    [
      '{"metadata":{"creationTimestamp":"yesterday"}}',
      `${handled}parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006"`,
    ],
    [
      '{"metadata":{"creationTimestamp":"2020-01-01"}}',
      `${handled}parsing time "2020-01-01" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "T"`,
    ],
    [
      '{"spec":{"template":{"spec":{"containers":{"a":1}}}}}',
      `${handled}json: cannot unmarshal object into Go struct field PodSpec.spec.template.spec.containers of type []v1.Container`,
    ],
    [
      '{"spec":{"template":{"spec":{"containers":["a"]}}}}',
      `${handled}json: cannot unmarshal string into Go struct field PodSpec.spec.template.spec.containers of type v1.Container`,
    ],
    [
      '{"spec":{"template":{"spec":{"containers":[{"imagePullPolicy":1}]}}}}',
      `${handled}json: cannot unmarshal number into Go struct field Container.spec.template.spec.containers.imagePullPolicy of type v1.PullPolicy`,
    ],
    [
      '{"spec":{"template":{"spec":{"containers":[{"args":["a",1]}]}}}}',
      `${handled}json: cannot unmarshal number into Go struct field Container.spec.template.spec.containers.args of type string`,
    ],
    [
      '{"spec":{"template":{"spec":{"containers":[{"resources":{"limits":{"cpu":"abc"}}}]}}}}',
      `${handled}quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'`,
    ],
    [
      '{"spec":{"strategy":{"rollingUpdate":{"maxSurge":true}}}}',
      `${handled}json: cannot unmarshal bool into Go struct field RollingUpdateDeployment.spec.strategy.rollingUpdate.maxSurge of type int32`,
    ],
    [
      '{"apiVersion":"apps/v1","kind":"Deployment","spec":',
      `${unrecognized}unexpected end of JSON input ({"apiVersion":"apps/v1","kind" ...)`,
    ],
    ['hello', `${unrecognized}invalid character 'h' looking for beginning of value (68656c6c6f)`],
    ['', `${unrecognized}unexpected end of JSON input (<empty>)`],
    ['{"a":1,}', `${unrecognized}invalid character '}' looking for beginning of object key string ({"a":1,})`],
    ['[1', `${unrecognized}unexpected end of JSON input (5b31)`],
  ])('refuses %s', (body, message) => {
    expect(() => decodeObject(deployment, body, WARN)).toThrow(
      expect.objectContaining({ message, code: 'BadRequest' }) as Error,
    );
  });

  const sloppy = `{"spec":{"foo":1,"replicas":1,"replicas":2,"template":{"zoo":2,"spec":{"containers":[{"name":"a","name":"a","bar":{"x":1}}]}}}}`;
  const findings = [
    'unknown field "spec.foo"',
    'duplicate field "spec.replicas"',
    'unknown field "spec.template.zoo"',
    'duplicate field "spec.template.spec.containers[0].name"',
    'unknown field "spec.template.spec.containers[0].bar"',
  ];

  it('reports unknown and duplicate fields as it was asked to', () => {
    expect(decodeObject(deployment, sloppy, WARN).warnings).toEqual(findings);
    expect(decodeObject(deployment, sloppy, { strict: 'Ignore' }).warnings).toEqual([]);
    expect(() => decodeObject(deployment, sloppy, { strict: 'Strict' })).toThrow(
      `${handled}strict decoding error: ${findings.join(', ')}`,
    );
  });

  it('gives the object as Go holds it', () => {
    const body = {
      unknown: 1,
      metadata: { name: 'd', labels: {}, annotations: null, creationTimestamp: '2020-01-01T02:00:00+02:00' },
      spec: {
        replicas: 0,
        minReadySeconds: 0,
        paused: false,
        template: {
          spec: {
            containers: [{ name: 'c', args: [], env: null, resources: { limits: { cpu: 1.5, memory: '1024Mi' } } }],
          },
        },
      },
    };
    expect(decodeObject(deployment, JSON.stringify(body), WARN).object).toEqual({
      metadata: { name: 'd', creationTimestamp: '2020-01-01T00:00:00Z' },
      spec: {
        replicas: 0,
        selector: null,
        strategy: {},
        template: {
          metadata: {},
          spec: { containers: [{ name: 'c', resources: { limits: { cpu: '1500m', memory: '1Gi' } } }] },
        },
      },
      status: {},
    });
  });

  it('changes nothing the second time', () => {
    const once = decodeObject(deployment, sloppy, WARN).object;
    expect(decodeObject(deployment, once, WARN)).toEqual({ object: once, warnings: [] });
  });

  it('reads the bytes of a Secret', () => {
    const secret = schemaFor('', 'v1', 'Secret')!;
    const data = (value: string): unknown => decodeObject(secret, { data: { a: value } }, WARN).object['data'];
    expect(data('YQ==')).toEqual({ a: 'YQ==' });
    expect(() => data('!!')).toThrow('illegal base64 data at input byte 0');
    expect(() => data('YQ')).toThrow('illegal base64 data at input byte 0');
  });

  it('reads micro times with six digits only', () => {
    const lease = schemaFor('coordination.k8s.io', 'v1', 'Lease')!;
    const read = (renewTime: string): JsonObject =>
      decodeObject(lease, { spec: { renewTime } }, WARN).object['spec'] as JsonObject;
    expect(read('2020-01-01T00:00:00.123456Z')['renewTime']).toBe('2020-01-01T00:00:00.123456Z');
    expect(() => read('2020-01-01T00:00:00Z')).toThrow(
      'as "2006-01-02T15:04:05.000000Z07:00": cannot parse "Z" as ".000000"',
    );
  });
});

describe('decodePatched', () => {
  it('blames the patch', () => {
    let error: unknown;
    try {
      decodePatched(deployment, { spec: { replicas: 'x' } }, WARN);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({
      code: 'Invalid',
      message: ` "" is invalid: patch: Invalid value: "{\\"spec\\":{\\"replicas\\":\\"x\\"}}": json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32`,
    });
  });
});

describe('decodePatched, of a strategic merge patch', () => {
  it('quotes the patch as Go prints it', () => {
    const patch = { spec: { replicas: 'x', a: [null, 1] } };
    expect(() => decodePatched(deployment, { spec: { replicas: 'x' } }, WARN, patch)).toThrow(
      ' "" is invalid: patch: Invalid value: "map[spec:map[a:[<nil> 1] replicas:x]]": ',
    );
  });
});

describe('parseBody', () => {
  it('reads YAML where the media type says so', () => {
    expect(parseBody('a: {b: [1]}', 'application/apply-patch+yaml')).toEqual({ a: { b: [1] } });
    expect(parseBody('{"a":1}', 'application/apply-patch+yaml')).toEqual({ a: 1 });
    expect(() => parseBody('a: [', 'application/yaml')).toThrow('error converting YAML to JSON');
    expect(() => parseBody('a: 1', 'application/json')).toThrow('invalid character');
  });
});

describe('scanJson', () => {
  it('accepts what JSON.parse accepts, and nothing else', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          fc.string(),
          fc.json().map((text) => text.slice(0, -1)),
        ),
        (text) => {
          let parses = true;
          try {
            JSON.parse(text);
          } catch {
            parses = false;
          }
          expect(scanJson(text).error === undefined).toBe(parses);
        },
      ),
    );
  });
});

describe('quantities', () => {
  // As kube-apiserver writes them back.
  it.each([
    ['1.5Gi', '1536Mi'],
    ['0.1', '100m'],
    ['1000m', '1'],
    ['1500', '1500'],
    ['1000', '1k'],
    ['2000Mi', '2000Mi'],
    ['1e3', '1e3'],
    ['0.5Mi', '512Ki'],
    ['10.5Ki', '10752'],
    ['0.1Ki', '102400m'],
    ['1023Ki', '1023Ki'],
    ['1000000', '1M'],
    ['-1.5Gi', '-1536Mi'],
    ['.5', '500m'],
    ['0', '0'],
  ])('%s is %s', (text, canonical) => {
    expect(canonicalQuantity(text)).toBe(canonical);
  });

  it('refuses what is none', () => {
    for (const text of ['', 'abc', '1x', '1 Gi', '--1', '1.2.3']) expect(canonicalQuantity(text)).toBeUndefined();
  });

  it('keeps its value through its text', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(10n ** 21n), max: 10n ** 21n }),
        fc.constantFrom('decimal' as const, 'binary' as const, 'exponent' as const),
        (nano, format) => {
          expect(parseQuantity(formatQuantity({ nano, format }))?.nano).toBe(nano);
        },
      ),
    );
  });
});
