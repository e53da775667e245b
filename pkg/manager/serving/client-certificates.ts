import { X509Certificate } from 'node:crypto';

import type { ClientCertificate } from './http.ts';

/** The certificates in a PEM bundle. Throws where there is none, or one that cannot be read. */
export function parseBundle(bundle: string): X509Certificate[] {
  const blocks = bundle.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw new Error('data does not contain any valid RSA or ECDSA certificates');
  return blocks.map((block) => new X509Certificate(block));
}

/**
 * Why a client's certificate is not one that `roots` vouch for; undefined where they do. Whether the path is valid (times,
 * constraints, extended key usages, digests, critical extensions) is what OpenSSL found in the handshake, for the
 * authorities of clients and of proxies together. What is decided here is only which of the two the path leads to now,
 * since each means another way of being known, and whether it has run out since the handshake.
 */
export function whyUntrusted(
  { chain, problem }: ClientCertificate,
  roots: readonly X509Certificate[],
  now: number,
): string | undefined {
  const [leaf, ...intermediates] = chain;
  if (!leaf) return 'no certificate';
  if (problem !== undefined) return `x509: ${problem}`;
  return leadsToRoot(leaf, intermediates, roots, now) ? undefined : 'x509: certificate signed by unknown authority';
}

function leadsToRoot(
  certificate: X509Certificate,
  intermediates: readonly X509Certificate[],
  roots: readonly X509Certificate[],
  now: number,
): boolean {
  if (certificate.validToDate.getTime() < now) return false;
  if (roots.some((root) => root.raw.equals(certificate.raw) || isIssuedBy(certificate, root))) return true;
  return intermediates.some(
    (issuer) =>
      isIssuedBy(certificate, issuer) &&
      leadsToRoot(
        issuer,
        intermediates.filter((other) => other !== issuer),
        roots,
        now,
      ),
  );
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

/** The attribute that holds a user's UID (`apimachinery/pkg/apis/asn1`). */
export const USER_ID = '1.3.6.1.4.1.57683.2';

/** Values of one attribute of a subject: its organizations, say. */
export function subjectValues(certificate: X509Certificate, attribute: 'CN' | 'O' | typeof USER_ID): string[] {
  // The printed subject escapes and joins values; this has them apart.
  const subject = certificate.toLegacyObject().subject as Partial<Record<string, string | string[]>> | undefined;
  const value = subject?.[attribute];
  return value === undefined ? [] : [value].flat();
}

/** The common name: of several the last, as in Go. */
export function commonNameOf(certificate: X509Certificate): string {
  return subjectValues(certificate, 'CN').at(-1) ?? '';
}
