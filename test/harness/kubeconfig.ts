import type { Pair } from './certificates.ts';

export interface Access {
  readonly server: string;
  readonly authority: string;
  readonly user: string;
  readonly pair: Pair;
}

/** The text of a kubeconfig file with everything inline. */
export function kubeconfig({ server, authority, user, pair }: Access): string {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server, 'certificate-authority-data': base64(authority) } }],
    users: [
      {
        name: user,
        user: { 'client-certificate-data': base64(pair.certificate), 'client-key-data': base64(pair.key) },
      },
    ],
    contexts: [{ name: 'test', context: { cluster: 'test', user, namespace: 'default' } }],
    'current-context': 'test',
  });
}
