import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { dump } from 'js-yaml';
import type { KeyPair } from './certificates.ts';

export interface KubeconfigOptions {
  readonly server: string;
  /** PEM. */
  readonly ca: string;
  readonly user: string;
  /** One of the two. */
  readonly certificate?: KeyPair;
  readonly token?: string;
  /** Names cluster and context. */
  readonly name?: string;
}

/** The text of a kubeconfig with everything in it, pointing at no other file. */
export function kubeconfig(options: KubeconfigOptions): string {
  const { server, user, certificate, token, name = 'devcluster' } = options;
  const credentials = {
    ...(certificate === undefined
      ? {}
      : { 'client-certificate-data': base64(certificate.cert), 'client-key-data': base64(certificate.key) }),
    ...(token === undefined ? {} : { token }),
  };
  return dump({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server, 'certificate-authority-data': base64(options.ca) } }],
    users: [{ name: user, user: credentials }],
    contexts: [{ name, context: { cluster: name, user, namespace: 'default' } }],
    'current-context': name,
  });
}

/** Writes a file that only its owner reads, also where one was there before. */
export function writePrivate(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text, { mode: 0o600 });
  chmodSync(path, 0o600);
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}
