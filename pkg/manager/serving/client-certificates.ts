import { X509Certificate } from 'node:crypto';

const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
const ANY_USE = '2.5.29.37.0';
/** A chain longer than this is somebody's attempt to keep us busy. */
const LONGEST_CHAIN = 8;

/** The certificates in a PEM bundle. Throws where there is none, or one that cannot be read. */
export function parseBundle(bundle: string): X509Certificate[] {
  const blocks = bundle.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw new Error('data does not contain any valid RSA or ECDSA certificates');
  return blocks.map((block) => new X509Certificate(block));
}

/**
 * Why the chain a client showed (leaf first) does not lead to one of `roots` as a client's certificate; nothing where it
 * does. Done here and not in the handshake, since each authority means another way of being known (x509 against
 * request headers), and both may change under a running server.
 */
export function whyUntrusted(
  chain: readonly X509Certificate[],
  roots: readonly X509Certificate[],
  now: number,
): string | undefined {
  const [leaf, ...intermediates] = chain;
  if (!leaf) return 'no certificate';
  const expired = whyNotNow(leaf, now);
  if (expired) return expired;
  const uses = leaf.keyUsage ?? [];
  if (uses.length > 0 && !uses.includes(CLIENT_AUTH) && !uses.includes(ANY_USE))
    return 'x509: certificate specifies an incompatible key usage';
  return leadsToRoot(leaf, intermediates, roots, now, LONGEST_CHAIN)
    ? undefined
    : 'x509: certificate signed by unknown authority';
}

function leadsToRoot(
  certificate: X509Certificate,
  intermediates: readonly X509Certificate[],
  roots: readonly X509Certificate[],
  now: number,
  depth: number,
): boolean {
  if (
    roots.some((root) => root.raw.equals(certificate.raw) || (isIssuedBy(certificate, root) && !whyNotNow(root, now)))
  )
    return true;
  if (depth === 0) return false;
  return intermediates.some((issuer) => {
    if (!issuer.ca || !isIssuedBy(certificate, issuer) || whyNotNow(issuer, now)) return false;
    const others = intermediates.filter((other) => other !== issuer);
    return leadsToRoot(issuer, others, roots, now, depth - 1);
  });
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

function whyNotNow(certificate: X509Certificate, now: number): string | undefined {
  const { validFromDate, validToDate } = certificate;
  if (now >= validFromDate.getTime() && now <= validToDate.getTime()) return undefined;
  return `x509: certificate has expired or is not yet valid: current time ${new Date(now).toISOString()} is not between ${validFromDate.toISOString()} and ${validToDate.toISOString()}`;
}

/** Values of one attribute of a subject: its organizations, say. */
export function subjectValues(certificate: X509Certificate, attribute: 'CN' | 'O'): string[] {
  // The printed subject escapes and joins values; this has them apart.
  const subject = certificate.toLegacyObject().subject as Partial<Record<string, string | string[]>> | undefined;
  const value = subject?.[attribute];
  return value === undefined ? [] : [value].flat();
}
