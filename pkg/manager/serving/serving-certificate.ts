import { constants } from 'node:fs';
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { access, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { type Clock, describeError } from '#pkg/base';
import type { Logger } from '#pkg/log';

import { ManagerError } from '../errors.ts';
import type { ManagerFlagValues } from '../options/sections.ts';
import { FileWatch } from './file-watch.ts';
import { type CertificatePair, selfSigned } from './self-signed.ts';

/** Name under which a generated pair is kept, with `.crt` and `.key`. */
const PAIR_NAME = 'kube-controller-manager';

export interface LoadedPair extends CertificatePair {
  /** Certificate and key file to watch; none for a pair that lives in memory. */
  readonly files?: readonly [string, string];
  /** For the log. */
  readonly origin: string;
}

type CertificateFlags = Pick<ManagerFlagValues, 'tls-cert-file' | 'tls-private-key-file' | 'cert-dir' | 'bind-address'>;

/**
 * What to serve with: the files given, else the pair in `--cert-dir`, made and kept there where there is none, else one
 * made in memory (`MaybeDefaultWithSelfSignedCerts` of the generic API server). Throws `BadFile` naming flag and path.
 */
export async function servingCertificate(flags: CertificateFlags, now: number): Promise<LoadedPair> {
  const certFile = flags['tls-cert-file'];
  if (certFile !== '') {
    const keyFile = flags['tls-private-key-file'];
    const pair = {
      certificate: await readNamed('--tls-cert-file', certFile),
      key: await readNamed('--tls-private-key-file', keyFile),
    };
    return checked(
      { ...pair, files: [certFile, keyFile], origin: certFile },
      '--tls-cert-file and --tls-private-key-file',
    );
  }
  const folder = flags['cert-dir'];
  if (folder === '') return { ...generate(flags, now), origin: 'Generated self signed cert' };
  const files = [join(folder, `${PAIR_NAME}.crt`), join(folder, `${PAIR_NAME}.key`)] as const;
  const [hasCertificate, hasKey] = await Promise.all(files.map(exists));
  if (hasCertificate !== hasKey) {
    const [present, absent] = hasCertificate ? files : files.toReversed();
    throw new ManagerError(
      'BadFile',
      `--cert-dir: "${present}" is there but "${absent}" is not: certificate and key must be a pair`,
      { folder },
    );
  }
  if (hasCertificate) {
    const pair = { certificate: await readNamed('--cert-dir', files[0]), key: await readNamed('--cert-dir', files[1]) };
    return checked({ ...pair, files, origin: files[0] }, '--cert-dir');
  }
  const pair = generate(flags, now);
  await keep(folder, files, pair);
  return { ...pair, files, origin: files[0] };
}

/** Throws where certificate and key are unreadable or do not belong together. */
export function checkPair(pair: CertificatePair): void {
  if (!new X509Certificate(pair.certificate).checkPrivateKey(createPrivateKey(pair.key)))
    throw new Error('the key is not that of the certificate');
}

/** Calls `use` with a new pair whenever both files hold one that fits together. */
export function watchPair(
  files: readonly [string, string],
  loaded: CertificatePair,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
  use: (pair: CertificatePair) => void,
): FileWatch {
  return new FileWatch(
    { paths: files, clock, log },
    [loaded.certificate, loaded.key],
    ([certificate = '', key = '']) => {
      const pair = { certificate, key };
      checkPair(pair);
      use(pair);
    },
  );
}

export async function readNamed(flag: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new ManagerError(
      'BadFile',
      `${flag}: cannot read "${path}": ${describeError(error)}`,
      { flag, path },
      { cause: error },
    );
  }
}

function checked<Pair extends LoadedPair>(pair: Pair, flag: string): Pair {
  try {
    checkPair(pair);
    return pair;
  } catch (error) {
    throw new ManagerError(
      'BadFile',
      `${flag}: "${(pair.files ?? []).join('", "')}": ${describeError(error)}`,
      { flag },
      { cause: error },
    );
  }
}

function generate(flags: CertificateFlags, now: number): CertificatePair {
  const bound = flags['bind-address'];
  const everywhere = ['', '0.0.0.0', '::'].includes(bound);
  return selfSigned('localhost', ['localhost', '127.0.0.1', ...(everywhere ? [] : [bound])], now);
}

async function keep(
  folder: string,
  [certFile, keyFile]: readonly [string, string],
  pair: CertificatePair,
): Promise<void> {
  try {
    await makeFolder(folder);
    await writeWhole(keyFile, pair.key, 0o600);
    await writeWhole(certFile, pair.certificate, 0o644);
  } catch (error) {
    throw new ManagerError(
      'BadFile',
      `--cert-dir: cannot keep the serving certificate in "${folder}": ${describeError(error)}`,
      { folder },
      { cause: error },
    );
  }
}

/** Not `recursive`: that never comes back where a folder can be neither found nor made, as in /proc. */
async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, 0o755);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || dirname(folder) === folder) throw error;
    await makeFolder(dirname(folder));
    await mkdir(folder, 0o755);
  }
}

/** All of it or nothing: a full disk must not leave half a key behind for the next start to fall over. */
async function writeWhole(path: string, content: string, mode: number): Promise<void> {
  const temporary = `${path}.tmp`;
  try {
    await rm(temporary, { force: true });
    const file = await open(temporary, 'wx', mode);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path, constants.F_OK).then(
    () => true,
    () => false,
  );
}
