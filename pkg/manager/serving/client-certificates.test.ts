import { X509Certificate } from 'node:crypto';

import { beforeAll, describe, expect, test } from 'vitest';

import { type TestAuthority, testAuthority } from '#pkg/testing';

import { parseBundle, subjectValues, whyUntrusted } from './client-certificates.ts';
import type { ClientCertificate } from './http.ts';
import { selfSigned } from './self-signed.ts';

const NOW = Date.now();
const HOUR = 3_600_000;
let authority: TestAuthority;
let other: TestAuthority;

beforeAll(async () => {
  authority = await testAuthority('one');
  other = await testAuthority('two');
});

async function client(from: TestAuthority, more: object = {}): Promise<X509Certificate> {
  return new X509Certificate((await from.issue({ commonName: 'jane', organisation: 'admins', ...more })).certificate);
}

const shown = (...chain: X509Certificate[]): ClientCertificate => ({ chain, problem: undefined });

describe('trust', () => {
  test('goes to what one of the authorities signed, for as long as it is valid', async () => {
    const roots = parseBundle(other.certificate + authority.certificate);
    expect(roots).toHaveLength(2);
    const jane = await client(authority);
    expect(whyUntrusted(shown(jane), roots, NOW)).toBeUndefined();
    expect(whyUntrusted(shown(jane), roots, NOW + 2 * HOUR)).toBe('x509: certificate signed by unknown authority');
  });

  test('goes to nothing that the handshake found invalid', async () => {
    const certificate = { chain: [await client(authority)], problem: 'INVALID_PURPOSE' };
    expect(whyUntrusted(certificate, parseBundle(authority.certificate), NOW)).toBe('x509: INVALID_PURPOSE');
  });

  test("does not go to another authority's, nor to one of the same name", async () => {
    const roots = parseBundle(authority.certificate);
    const twin = await testAuthority('one');
    for (const certificate of [
      shown(await client(other)),
      shown(await client(other), ...parseBundle(other.certificate)),
      shown(await client(twin), ...parseBundle(twin.certificate)),
    ])
      expect(whyUntrusted(certificate, roots, NOW)).toBe('x509: certificate signed by unknown authority');
    expect(whyUntrusted(shown(), roots, NOW)).toBe('no certificate');
  });

  test('follows what the client shows between', () => {
    const [leaf, root] = parseBundle(selfSigned('localhost', ['localhost'], NOW).certificate);
    expect(whyUntrusted(shown(leaf!, root!), [root!], NOW)).toBeUndefined();
    expect(whyUntrusted(shown(leaf!), [leaf!], NOW)).toBeUndefined();
  });
});

test('names of a subject are taken apart, whatever is in them', async () => {
  const certificate = await client(authority, { commonName: 'system:kube-scheduler' });
  expect(subjectValues(certificate, 'CN')).toEqual(['system:kube-scheduler']);
  expect(subjectValues(certificate, 'O')).toEqual(['admins']);
  const sly = await client(authority, { commonName: String.raw`jane\+O=system:masters`, organisation: undefined });
  expect(subjectValues(sly, 'O')).toEqual([]);
  expect(subjectValues(sly, 'CN')).toEqual(['jane+O=system:masters']);
});

test('a bundle without a certificate is none', () => {
  expect(() => parseBundle('nothing')).toThrow('does not contain any valid');
  expect(() => parseBundle('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----')).toThrow(
    /asn1|PEM|wrong tag/i,
  );
});
