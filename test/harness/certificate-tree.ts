import type { webcrypto } from 'node:crypto';

// x509's container reads it as it loads.
// oxlint-disable-next-line import/no-unassigned-import
import 'reflect-metadata';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  X509CertificateGenerator,
  cryptoProvider,
} from '@peculiar/x509';

export { ExtendedKeyUsage, Extension, KeyUsageFlags };

cryptoProvider.set(globalThis.crypto);

const HOUR = 3600 * 1000;

export interface NodeOptions {
  readonly subject: string;
  /** Extended key usages; none by default for an authority, the client's for a leaf. */
  readonly usages?: readonly string[];
  readonly authority?: boolean;
  readonly pathLength?: number;
  readonly more?: readonly Extension[];
  readonly hash?: 'SHA-256' | 'SHA-1';
  /** Hours from now. */
  readonly from?: number;
  readonly until?: number;
  readonly keyUsage?: KeyUsageFlags;
}

/** A certificate with its key, from which others can be issued whether it may or not. */
export interface CertificateNode {
  /** PEM of the certificate alone. */
  readonly certificate: string;
  readonly key: string;
  issue(options: NodeOptions): Promise<CertificateNode>;
}

/** A self-signed authority. Its authority key identifiers are left out, as older tools do. */
export async function rootAuthority(subject: string, options: Partial<NodeOptions> = {}): Promise<CertificateNode> {
  return make({ authority: true, ...options, subject });
}

async function make(
  options: NodeOptions,
  issuer?: { readonly subject: string; readonly privateKey: webcrypto.CryptoKey },
): Promise<CertificateNode> {
  const { subject, authority = false, hash = 'SHA-256', from = -1, until = 24 } = options;
  const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const usages = options.usages ?? (authority ? [] : [ExtendedKeyUsage.clientAuth]);
  const keyUsage =
    options.keyUsage ??
    (authority ? KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign : KeyUsageFlags.digitalSignature);
  const certificate = await X509CertificateGenerator.create({
    subject,
    issuer: issuer?.subject ?? subject,
    publicKey: keys.publicKey,
    signingKey: issuer?.privateKey ?? keys.privateKey,
    signingAlgorithm: { name: 'ECDSA', hash },
    notBefore: new Date(Date.now() + from * HOUR),
    notAfter: new Date(Date.now() + until * HOUR),
    extensions: [
      new BasicConstraintsExtension(authority, options.pathLength, true),
      new KeyUsagesExtension(keyUsage, true),
      ...(usages.length > 0 ? [new ExtendedKeyUsageExtension([...usages])] : []),
      ...(options.more ?? []),
    ],
  });
  const base64 = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  return {
    certificate: `${certificate.toString('pem')}\n`,
    key: `-----BEGIN PRIVATE KEY-----\n${base64.replace(/(.{64})(?=.)/g, '$1\n')}\n-----END PRIVATE KEY-----\n`,
    issue: (child) => make(child, { subject: certificate.subject, privateKey: keys.privateKey }),
  };
}
