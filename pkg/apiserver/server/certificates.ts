// The certificate library's injection container asks for it.
// oxlint-disable-next-line import/no-unassigned-import
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import type { Clock } from '#pkg/base';

/** A certificate with its private key, both PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

export interface ClientName {
  /** The user's name. */
  readonly commonName: string;
  /** The user's groups. */
  readonly organizations?: readonly string[];
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const DAY = 24 * 3600 * 1000;
/** Certificates are good from a little before now, for clocks that differ. */
const LEEWAY = 5 * 60 * 1000;
const YEARS_OF_CA = 10;

/** Signs certificates for one cluster: its server's and its users'. Lives in memory; nothing outside trusts it. */
export class CertificateAuthority {
  /** PEM. */
  readonly cert: string;
  readonly #certificate: x509.X509Certificate;
  readonly #keys: webcrypto.CryptoKeyPair;
  readonly #clock: Clock;

  private constructor(certificate: x509.X509Certificate, keys: webcrypto.CryptoKeyPair, clock: Clock) {
    this.#certificate = certificate;
    this.#keys = keys;
    this.#clock = clock;
    this.cert = certificate.toString('pem');
  }

  static async create(clock: Clock, name = 'embedded-cluster-ca'): Promise<CertificateAuthority> {
    x509.cryptoProvider.set(webcrypto);
    const keys = await generateKeys();
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: serialNumber(),
      name: distinguishedName({ commonName: name }),
      notBefore: new Date(clock.now() - LEEWAY),
      notAfter: new Date(clock.now() + YEARS_OF_CA * 365 * DAY),
      signingAlgorithm: ALGORITHM,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(
          x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign | x509.KeyUsageFlags.digitalSignature,
          true,
        ),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    return new CertificateAuthority(certificate, keys, clock);
  }

  /** For a server that is reached under these names and addresses. */
  server(hosts: readonly string[], days = 365): Promise<KeyPair> {
    const names = hosts.map((value) => ({
      type: /^[\d.]+$|:/.test(value) ? ('ip' as const) : ('dns' as const),
      value,
    }));
    return this.#issue({ commonName: 'kube-apiserver' }, x509.ExtendedKeyUsage.serverAuth, days, [
      new x509.SubjectAlternativeNameExtension(names),
    ]);
  }

  /** For a user. */
  client(name: ClientName, days = 365): Promise<KeyPair> {
    return this.#issue(name, x509.ExtendedKeyUsage.clientAuth, days, []);
  }

  async #issue(name: ClientName, usage: string, days: number, extensions: x509.Extension[]): Promise<KeyPair> {
    const keys = await generateKeys();
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serialNumber(),
      subject: distinguishedName(name),
      issuer: this.#certificate.subject,
      notBefore: new Date(this.#clock.now() - LEEWAY),
      notAfter: new Date(this.#clock.now() + days * DAY),
      signingKey: this.#keys.privateKey,
      signingAlgorithm: ALGORITHM,
      publicKey: keys.publicKey,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment, true),
        new x509.ExtendedKeyUsageExtension([usage]),
        await x509.AuthorityKeyIdentifierExtension.create(this.#keys.publicKey),
        ...extensions,
      ],
    });
    const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
    return { cert: certificate.toString('pem'), key: x509.PemConverter.encode(pkcs8, 'PRIVATE KEY') };
  }
}

function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

/** Positive, and longer than anyone could guess. */
function serialNumber(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16));
  bytes[0] = (bytes[0]! & 0x7f) | 0x01;
  return Buffer.from(bytes).toString('hex');
}

function distinguishedName({ commonName, organizations = [] }: ClientName): string {
  return [...organizations.map((organization) => `O=${escape(organization)}`), `CN=${escape(commonName)}`].join(', ');
}

function escape(value: string): string {
  return value.replace(/[,+"\\<>;=#]/g, '\\$&');
}
