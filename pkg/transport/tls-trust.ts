import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';

import { TransportError } from '#pkg/client';

const UNKNOWN_AUTHORITY = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_SIGNATURE_FAILURE',
]);

/** Why the certificate that the peer showed is not accepted, in words that name the certificate. */
export function untrusted(socket: TLSSocket, target: string, now: number): TransportError {
  // Typed as an Error, but it is the code alone unless the name was wrong.
  const error: unknown = socket.authorizationError;
  const code = error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? '') : String(error);
  const leaf = socket.getPeerCertificate(true);
  const message = `cannot trust ${target}: ${describe(code, leaf, now) ?? (error instanceof Error ? error.message : code)}`;
  return new TransportError('tls', message, { target }, { cause: error });
}

function describe(code: string, leaf: DetailedPeerCertificate, now: number): string | undefined {
  if (code === 'CERT_HAS_EXPIRED') {
    const expired = chain(leaf).find((certificate) => Date.parse(certificate.valid_to) < now) ?? leaf;
    return `the ${role(expired, leaf)} certificate ${nameOf(expired)} expired on ${dateOf(expired.valid_to)}`;
  }
  if (code === 'CERT_NOT_YET_VALID') {
    const early = chain(leaf).find((certificate) => Date.parse(certificate.valid_from) > now) ?? leaf;
    return `the ${role(early, leaf)} certificate ${nameOf(early)} is not valid before ${dateOf(early.valid_from)}`;
  }
  if (UNKNOWN_AUTHORITY.has(code)) {
    const issuer = JSON.stringify(leaf.issuer?.CN ?? leaf.issuer?.O ?? '');
    return `the server certificate ${nameOf(leaf)} is signed by an unknown authority, ${issuer}`;
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return `the server certificate is valid for ${leaf.subjectaltname ?? nameOf(leaf)}, not for this address`;
  }
  return undefined;
}

function chain(leaf: DetailedPeerCertificate): DetailedPeerCertificate[] {
  const certificates: DetailedPeerCertificate[] = [];
  for (
    let at: DetailedPeerCertificate | undefined = leaf;
    at !== undefined && !certificates.includes(at);
    at = at.issuerCertificate
  ) {
    certificates.push(at);
  }
  return certificates;
}

const role = (certificate: DetailedPeerCertificate, leaf: DetailedPeerCertificate): string =>
  certificate === leaf ? 'server' : 'authority';

function nameOf(certificate: DetailedPeerCertificate): string {
  return JSON.stringify(certificate.subject?.CN ?? certificate.subject?.O ?? certificate.serialNumber ?? '');
}

function dateOf(text: string): string {
  return new Date(text).toISOString().replace('.000Z', 'Z');
}
