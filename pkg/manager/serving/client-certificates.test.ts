import { X509Certificate } from 'node:crypto';

import { beforeAll, describe, expect, test } from 'vitest';

import { type TestAuthority, testAuthority } from '#pkg/testing';

import { parseBundle, subjectValues, whyUntrusted } from './client-certificates.ts';
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

describe('trust', () => {
  test('what the authority signed, now, for clients', async () => {
    const roots = parseBundle(other.certificate + authority.certificate);
    expect(roots).toHaveLength(2);
    expect(whyUntrusted([await client(authority)], roots, NOW)).toBeUndefined();
  });

  test("nobody else's, nor what is past or to come", async () => {
    const roots = parseBundle(authority.certificate);
    expect(whyUntrusted([], roots, NOW)).toBe('no certificate');
    expect(whyUntrusted([await client(other)], roots, NOW)).toBe('x509: certificate signed by unknown authority');
    expect(whyUntrusted([await client(other), ...parseBundle(other.certificate)], roots, NOW)).toBe(
      'x509: certificate signed by unknown authority',
    );
    expect(whyUntrusted([await client(authority)], roots, NOW + 2 * HOUR)).toContain('expired or is not yet valid');
    expect(whyUntrusted([await client(authority)], roots, NOW - 2 * HOUR)).toContain('expired or is not yet valid');
  });

  test("a server's certificate is no client's", async () => {
    const server = await client(authority, { names: ['localhost'] });
    expect(whyUntrusted([server], parseBundle(authority.certificate), NOW)).toBe(
      'x509: certificate specifies an incompatible key usage',
    );
  });

  test('an authority of the same name is not the same', async () => {
    const twin = await testAuthority('one');
    expect(whyUntrusted([await client(twin)], parseBundle(authority.certificate), NOW)).toBe(
      'x509: certificate signed by unknown authority',
    );
  });

  test('a chain over an authority between; a leaf is no authority', async () => {
    const { certificate } = selfSigned('localhost', ['localhost'], NOW);
    const [leaf, root] = parseBundle(certificate);
    // Only the use is wrong: the chain itself leads to the root.
    expect(whyUntrusted([leaf!], [root!], NOW)).toBe('x509: certificate specifies an incompatible key usage');
    const forged = await client(authority);
    expect(whyUntrusted([forged, leaf!], [root!], NOW)).toBe('x509: certificate signed by unknown authority');
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
