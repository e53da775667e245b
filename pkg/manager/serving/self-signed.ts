import { type KeyObject, createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';

import { bits, boolean, explicit, implicit, integer, objectId, octets, pem, sequence, set, time, utf8 } from './der.ts';

/** PEM of a certificate, with those of its issuers behind it, and of its private key. */
export interface CertificatePair {
  readonly certificate: string;
  readonly key: string;
}

const OID = {
  commonName: '2.5.4.3',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyId: '2.5.29.35',
  subjectKeyId: '2.5.29.14',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
} as const;

const HOUR = 60 * 60 * 1000;
const YEAR = 365 * 24 * HOUR;

/**
 * A serving certificate for `hosts` (names and addresses), signed by an authority made for it alone and thrown away:
 * `GenerateSelfSignedCertKey` of `client-go/util/cert`, with elliptic keys for their speed. Valid for a year, and since
 * an hour ago for clocks that are late.
 */
export function selfSigned(commonName: string, hosts: readonly string[], now: number): CertificatePair {
  const stamp = Math.floor(now / 1000);
  const authorityName = `${commonName}-ca@${stamp}`;
  const authority = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const leaf = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const common = { issuer: authorityName, issuerKey: authority, notBefore: now - HOUR, notAfter: now - HOUR + YEAR };
  const authorityDer = certificate({
    ...common,
    subject: authorityName,
    publicKey: authority.publicKey,
    extensions: [keyUsage(0xa4, 2), extension(OID.basicConstraints, true, sequence(boolean(true)))],
  });
  const leafDer = certificate({
    ...common,
    subject: `${commonName}@${stamp}`,
    publicKey: leaf.publicKey,
    extensions: [
      keyUsage(0xa0, 5),
      extension(OID.extendedKeyUsage, false, sequence(objectId(OID.serverAuth))),
      extension(OID.basicConstraints, true, sequence()),
      extension(OID.authorityKeyId, false, sequence(implicit(0, keyId(authority.publicKey)))),
      extension(OID.subjectAltName, false, sequence(...[...new Set(hosts)].map(generalName))),
    ],
  });
  return {
    certificate: pem('CERTIFICATE', leafDer) + pem('CERTIFICATE', authorityDer),
    key: leaf.privateKey.export({ type: 'pkcs8', format: 'pem' }),
  };
}

interface CertificateFields {
  readonly issuer: string;
  readonly issuerKey: { readonly publicKey: KeyObject; readonly privateKey: KeyObject };
  readonly subject: string;
  readonly publicKey: KeyObject;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly extensions: readonly Uint8Array[];
}

/** RFC 5280, 4.1. */
function certificate(fields: CertificateFields): Uint8Array {
  const algorithm = sequence(objectId(OID.ecdsaWithSha256));
  const serial = randomBytes(16);
  serial[0]! &= 0x7f;
  const body = sequence(
    explicit(0, integer(Buffer.from([2]))),
    integer(serial),
    algorithm,
    name(fields.issuer),
    sequence(time(fields.notBefore), time(fields.notAfter)),
    name(fields.subject),
    spki(fields.publicKey),
    explicit(3, sequence(extension(OID.subjectKeyId, false, octets(keyId(fields.publicKey))), ...fields.extensions)),
  );
  return sequence(body, algorithm, bits(sign('sha256', body, fields.issuerKey.privateKey)));
}

function name(commonName: string): Uint8Array {
  return sequence(set(sequence(objectId(OID.commonName), utf8(commonName))));
}

function extension(id: string, critical: boolean, content: Uint8Array): Uint8Array {
  return sequence(objectId(id), ...(critical ? [boolean(true)] : []), octets(content));
}

function keyUsage(usages: number, unused: number): Uint8Array {
  return extension(OID.keyUsage, true, bits(Buffer.from([usages]), unused));
}

function generalName(host: string): Uint8Array {
  const version = isIP(host);
  if (version === 0) return implicit(2, Buffer.from(host));
  return implicit(7, version === 4 ? Buffer.from(host.split('.').map(Number)) : ipv6Bytes(host));
}

function ipv6Bytes(address: string): Uint8Array {
  const [head = '', tail = ''] = address.split('%')[0]!.split('::');
  const groups = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
  const left = groups(head);
  const right = groups(tail);
  const all = [...left, ...Array.from({ length: 8 - left.length - right.length }, () => 0), ...right];
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}

const spki = (key: KeyObject): Uint8Array => key.export({ type: 'spki', format: 'der' });
const keyId = (key: KeyObject): Uint8Array => createHash('sha1').update(spki(key)).digest();
