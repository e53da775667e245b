import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import {
  type CertificateNode,
  ExtendedKeyUsage,
  Extension,
  KeyUsageFlags,
  rootAuthority,
} from '../harness/certificate-tree.ts';
import { type ControlPlane, controlPlaneKind, startControlPlane } from '../harness/control-plane.ts';
import { startDaemon } from '../harness/daemon.ts';
import { type Child, freePort } from '../harness/processes.ts';
import { type RawAnswer, type Shown, askHttp2, askRaw, connectRaw, requestBytes } from '../harness/raw-client.ts';

// What a row asks for is what the original does: KCM_COMMAND puts it in place of ours.
const isOriginal = process.env['KCM_COMMAND']?.endsWith('/kube-controller-manager') === true;
const MASTERS = 'O=system:masters';
const NAME_CONSTRAINTS = '2.5.29.30';

let plane: ControlPlane;
let daemon: Child;
let port: number;
let folder: string;
let clients: CertificateNode;
let proxies: CertificateNode;
let front: Shown;

beforeAll(async () => {
  plane = await startControlPlane();
  folder = await mkdtemp(join(tmpdir(), 'serving-matrix-'));
  [clients, proxies] = await Promise.all([rootAuthority('CN=clients'), rootAuthority('CN=proxies')]);
  front = shownBy(await proxies.issue({ subject: 'CN=front' }));
  await writeFile(join(folder, 'clients.crt'), clients.certificate);
  await writeFile(join(folder, 'proxies.crt'), proxies.certificate);
  port = await freePort();
  daemon = startDaemon({
    kubeconfig: plane.adminKubeconfig,
    flags: [
      '--controllers=replicaset-controller',
      `--secure-port=${port}`,
      '--bind-address=127.0.0.1',
      `--cert-dir=${folder}`,
      `--authentication-kubeconfig=${plane.adminKubeconfig}`,
      `--authorization-kubeconfig=${plane.adminKubeconfig}`,
      '--authentication-skip-lookup',
      `--client-ca-file=${join(folder, 'clients.crt')}`,
      `--requestheader-client-ca-file=${join(folder, 'proxies.crt')}`,
      '--requestheader-allowed-names=front',
      '--v=1',
    ],
  });
  await daemon.prints(/Serving securely/);
  await daemon.prints(/Starting controller/);
}, 150_000);

afterAll(async () => {
  await daemon.stop();
  await plane.stop();
  await rm(folder, { recursive: true, force: true });
}, 30_000);

/** What is seen of an answer: the status, and who was refused. */
function seen({ status, body }: RawAnswer): string {
  const user = /User \\?"(.*?)\\?" cannot/.exec(body)?.[1];
  return user === undefined ? String(status) : `${status} ${user}`;
}

function shownBy(leaf: CertificateNode, ...between: readonly CertificateNode[]): Shown {
  return { cert: [leaf, ...between].map(({ certificate }) => certificate).join(''), key: leaf.key };
}

const metrics = async (shown?: Shown, lines: readonly string[] = []): Promise<string> =>
  seen(await askRaw(port, requestBytes('GET', '/metrics', lines), shown));

/** DER of name constraints that permit one DNS suffix, or one directory name's organization. */
function permittedDns(suffix: string): Extension {
  const name = Buffer.from(suffix);
  const general = Buffer.concat([Buffer.from([0x82, name.length]), name]);
  const subtree = Buffer.concat([Buffer.from([0x30, general.length]), general]);
  const permitted = Buffer.concat([Buffer.from([0xa0, subtree.length]), subtree]);
  return new Extension(NAME_CONSTRAINTS, true, Buffer.concat([Buffer.from([0x30, permitted.length]), permitted]));
}

const unknownExtension = (critical: boolean): Extension =>
  new Extension('1.2.3.4.5', critical, Buffer.from([0x05, 0x00]));

type Show = () => Promise<Shown>;

async function under(
  authority: () => CertificateNode,
  intermediate: Parameters<CertificateNode['issue']>[0],
  leaf: Parameters<CertificateNode['issue']>[0] = { subject: `CN=jane, ${MASTERS}` },
): Promise<Shown> {
  const between = await authority().issue({ authority: true, ...intermediate });
  return shownBy(await between.issue(leaf), between);
}

const leaf =
  (options: Partial<Parameters<CertificateNode['issue']>[0]> = {}): Show =>
  async () =>
    shownBy(await clients.issue({ subject: `CN=jane, ${MASTERS}`, ...options }));

const CERTIFICATES: readonly [string, Show, string][] = [
  ['of the clients’ authority, with rights', leaf(), '200'],
  ['of the clients’ authority, without', leaf({ subject: 'CN=jane, O=dev' }), '403 jane'],
  ['without a common name', leaf({ subject: MASTERS }), '401'],
  ['with two common names', leaf({ subject: 'CN=one, CN=two' }), '403 two'],
  [
    'of nobody known',
    async () => shownBy(await (await rootAuthority('CN=others')).issue({ subject: `CN=jane, ${MASTERS}` })),
    '401',
  ],
  ['self-signed', async () => shownBy(await rootAuthority(`CN=jane, ${MASTERS}`, { authority: false })), '401'],
  ['expired', leaf({ from: -3, until: -1 }), '401'],
  ['not yet valid', leaf({ from: 1 }), '401'],
  ['for servers', leaf({ usages: [ExtendedKeyUsage.serverAuth] }), '401'],
  ['for servers and clients', leaf({ usages: [ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth] }), '200'],
  ['without extended usages', leaf({ usages: [] }), '200'],
  ['signed with SHA-1', leaf({ hash: 'SHA-1' }), '401'],
  ['with an unknown extension', leaf({ more: [unknownExtension(false)] }), '200'],
  ['with an unknown critical extension', leaf({ more: [unknownExtension(true)] }), '401'],
  ['through an intermediate', () => under(() => clients, { subject: 'CN=between' }), '200'],
  [
    'through an intermediate that is not shown',
    async () => {
      const { cert, key } = await under(() => clients, { subject: 'CN=between' });
      return { cert: cert.slice(0, cert.indexOf('-----BEGIN', 10)), key };
    },
    '401',
  ],
  [
    'through an intermediate for servers',
    () => under(() => clients, { subject: 'CN=between', usages: [ExtendedKeyUsage.serverAuth] }),
    '401',
  ],
  [
    'through an intermediate that is no authority',
    () => under(() => clients, { subject: 'CN=between', authority: false }),
    '401',
  ],
  [
    'through an intermediate that may not sign',
    () => under(() => clients, { subject: 'CN=between', keyUsage: KeyUsageFlags.digitalSignature }),
    '401',
  ],
  [
    'through an intermediate that has expired',
    () => under(() => clients, { subject: 'CN=between', from: -3, until: -1 }),
    '401',
  ],
  [
    'through an intermediate signed with SHA-1',
    () => under(() => clients, { subject: 'CN=between', hash: 'SHA-1' }),
    '401',
  ],
  [
    'through an intermediate with an unknown critical extension',
    () => under(() => clients, { subject: 'CN=between', more: [unknownExtension(true)] }),
    '401',
  ],
  [
    'through an intermediate with names it may sign',
    () => under(() => clients, { subject: 'CN=between', more: [permittedDns('example.org')] }),
    '200',
  ],
  ['at the path’s greatest length', () => under(() => clients, { subject: 'CN=between', pathLength: 0 }), '200'],
  [
    'beyond the path’s greatest length',
    async () => {
      const first = await clients.issue({ subject: 'CN=first', authority: true, pathLength: 0 });
      const second = await first.issue({ subject: 'CN=second', authority: true });
      return shownBy(await second.issue({ subject: `CN=jane, ${MASTERS}` }), second, first);
    },
    '401',
  ],
  ['of the proxies’ authority, no header', async () => front, '401'],
  [
    'of the proxies’ authority, a user of rights',
    async () => shownBy(await proxies.issue({ subject: `CN=jane, ${MASTERS}` })),
    '401',
  ],
];

/** Where OpenSSL refuses what Go takes, or refuses it in the handshake: what the original answers, and what ours does. */
const STRICTER: readonly [string, Show, string, string][] = [
  ['for key encipherment alone', leaf({ keyUsage: KeyUsageFlags.keyEncipherment }), '200', '401'],
  ['for any use', leaf({ usages: ['2.5.29.37.0'] }), '200', '401'],
  [
    'of another authority of the same name',
    async () => shownBy(await (await rootAuthority('CN=clients')).issue({ subject: `CN=jane, ${MASTERS}` })),
    '401',
    '0',
  ],
  ['the authority’s own', async () => shownBy(clients), '403 clients', '401'],
];

const HEADERS: readonly [string, readonly string[], string][] = [
  ['a user', ['X-Remote-User: bob'], '403 bob'],
  ['two users: the first', ['X-Remote-User: bob', 'X-Remote-User: alice'], '403 bob'],
  ['an empty user first', ['X-Remote-User:', 'X-Remote-User: alice'], '401'],
  ['a user in UTF-8', ['X-Remote-User: jürgen'], '403 jürgen'],
  ['a user with commas', ['X-Remote-User: a, b'], '403 a, b'],
  ['a group of rights', ['X-Remote-User: bob', 'X-Remote-Group: system:masters'], '200'],
  [
    'a group of rights in the second line',
    ['X-Remote-User: bob', 'X-Remote-Group: dev', 'X-Remote-Group: system:masters'],
    '200',
  ],
  ['a group that has the name of two', ['X-Remote-User: bob', 'X-Remote-Group: dev, system:masters'], '403 bob'],
  [
    'a group that has the name of two, without space',
    ['X-Remote-User: bob', 'X-Remote-Group: system:masters,dev'],
    '403 bob',
  ],
  ['names in any case', ['x-remote-user: bob', 'X-REMOTE-GROUP: system:masters'], '200'],
  ['the anonymous user', ['X-Remote-User: system:anonymous'], '403 system:anonymous'],
  ['only groups', ['X-Remote-Group: system:masters'], '401'],
  ['a large token', ['X-Remote-User: bob', `X-Large: ${'x'.repeat(20_000)}`], '403 bob'],
  ['an extra that is badly escaped', ['X-Remote-User: bob', 'X-Remote-Extra-100%: x'], '403 bob'],
  [
    'an extra by a hostile name',
    ['X-Remote-User: bob', 'X-Remote-Extra-__proto__: x', 'X-Remote-Extra-constructor: y'],
    '403 bob',
  ],
];

const TOKENS: readonly [string, readonly string[], string][] = [
  ['nothing', [], '403 system:anonymous'],
  [
    'proxy headers without certificate',
    ['X-Remote-User: bob', 'X-Remote-Group: system:masters'],
    '403 system:anonymous',
  ],
  ['a token nobody knows', ['Authorization: Bearer nonsense'], '401'],
  ['an empty token', ['Authorization: Bearer'], '403 system:anonymous'],
  ['two spaces before the token', ['Authorization: Bearer  nonsense'], '403 system:anonymous'],
  ['another scheme', ['Authorization: Basic bm9ib2R5'], '403 system:anonymous'],
  ['a token of 20 kB', [`Authorization: Bearer ${'x'.repeat(20_000)}`], '401'],
];

const PATHS: readonly [string, string, string][] = [
  ['GET', '/healthz', '200'],
  ['HEAD', '/healthz', '200'],
  ['GET', '/healthz?verbose', '200'],
  ['GET', '/%68ealthz', '200'],
  ['GET', 'http://localhost/healthz', '200'],
  ['GET', 'http://', '403 system:anonymous'],
  ['GET', '//', '403 system:anonymous'],
  ['GET', '//healthz', '403 system:anonymous'],
  ['GET', '///', '403 system:anonymous'],
  ['GET', '/', '403 system:anonymous'],
  ['GET', '/metrics/../healthz', '403 system:anonymous'],
  ['GET', '/./healthz', '403 system:anonymous'],
  ['GET', '/healthz/', '403 system:anonymous'],
  ['GET', '/healthz/..', '403 system:anonymous'],
  ['GET', '/healthz%2f..', '403 system:anonymous'],
  ['GET', '/healthz;x', '403 system:anonymous'],
  ['GET', '/healthz%00', '403 system:anonymous'],
  ['GET', '/HEALTHZ', '403 system:anonymous'],
  ['GET', '/%ff', '403 system:anonymous'],
  ['GET', '/%zz', '400'],
  ['GET', 'healthz', '400'],
  ['GET', `/${'x'.repeat(20_000)}`, '403 system:anonymous'],
  ['POST', '/healthz', '200'],
  ['GET', '*', '403 system:anonymous'],
  ['OPTIONS', '*', '200'],
  ['CONNECT', 'localhost:80', '403 system:anonymous'],
];

describe(
  `who is known on the secure port, and for what, on the ${controlPlaneKind()}`,
  { timeout: 60_000, skip: controlPlaneKind() === 'existing cluster' },
  () => {
    test.each(CERTIFICATES)('a certificate %s', async (_title, show, expected) => {
      const shown = await show();
      expect(await metrics(shown)).toBe(expected);
      expect(seen(await askHttp2(port, { ':path': '/metrics' }, shown))).toBe(expected);
    });

    test.each(STRICTER)('a certificate %s', async (_title, show, original, ours) => {
      expect(await metrics(await show())).toBe(isOriginal ? original : ours);
    });

    test.each(HEADERS)('a proxy that sends %s', async (_title, lines, expected) => {
      expect(await metrics(front, lines)).toBe(expected);
    });

    test('a proxy that sends groups over HTTP/2', async () => {
      const ask = async (groups: string | string[]): Promise<string> =>
        seen(await askHttp2(port, { ':path': '/metrics', 'x-remote-user': 'bob', 'x-remote-group': groups }, front));
      expect(await ask('dev, system:masters')).toBe('403 bob');
      expect(await ask(['dev', 'system:masters'])).toBe('200');
      const latin1 = Buffer.from('jürgen').toString('latin1');
      expect(seen(await askHttp2(port, { ':path': '/metrics', 'x-remote-user': latin1 }, front))).toBe('403 jürgen');
    });

    test('a large header over HTTP/2', async () => {
      const headers = { ':path': '/healthz', 'x-large': 'x'.repeat(20_000) };
      expect(seen(await askHttp2(port, headers))).toBe('200');
    });

    test.each(TOKENS)('a client that shows %s', async (_title, lines, expected) => {
      expect(await metrics(undefined, lines)).toBe(expected);
    });

    test.each(PATHS)('%s %s', async (method, target, expected) => {
      const answer = seen(await askRaw(port, requestBytes(method, target)));
      // An answer to HEAD has no body that would name the user.
      expect(answer).toBe(expected);
    });

    test.each<[string, string]>([
      ['//', '403 system:anonymous'],
      ['//healthz', '403 system:anonymous'],
      ['/metrics/../healthz', '403 system:anonymous'],
      ['/%68ealthz', '200'],
      ['http://', '0'],
      ['/%zz', '0'],
      ['healthz', '0'],
    ])('over HTTP/2: %s', async (path, expected) => {
      expect(seen(await askHttp2(port, { ':path': path }))).toBe(expected);
    });

    test('a client through an intermediate that comes again with its TLS session', async () => {
      const shown = await under(() => clients, { subject: 'CN=between' });
      const first = await connectRaw(port, shown);
      const session = await new Promise<Buffer | undefined>((resolve) => {
        first.once('session', resolve).once('close', () => resolve(first.getSession()));
        first.on('data', () => {}).on('error', () => {});
        first.write(requestBytes('GET', '/metrics'));
      });
      first.destroy();
      const again = connect({
        host: '127.0.0.1',
        port,
        rejectUnauthorized: false,
        ...shown,
        ...(session ? { session } : {}),
      });
      let text = '';
      again.on('data', (chunk: Buffer) => (text += chunk.toString())).on('error', () => {});
      again.write(requestBytes('GET', '/metrics'));
      await new Promise((resolve) => again.once('close', resolve));
      expect(text.slice(0, 12)).toBe('HTTP/1.1 200');
    });

    test('nothing of this is an error of the server', () => {
      expect(daemon.output).not.toMatch(/could not be answered|^E.*(?:panic|http2: panic)/m);
    });
  },
);
