import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';

import { type Clock, systemClock } from '#pkg/base';
import { type Logger, silentLogger } from '#pkg/log';
import type { Metrics } from '#pkg/metrics';

import { authProviderCredentials } from './auth-provider.ts';
import { ConfigError } from './config-error.ts';
import { type Credentials, anonymous, basicAuth, bearerToken, impersonating, tokenFile } from './credentials.ts';
import type { ExecClusterInfo, ExecConfig } from './exec-credentials.ts';
import { type Section, readKubeconfig, whyUnreadable } from './kubeconfig.ts';
import type { Environment } from './proxy-choice.ts';
import type { Pem, TlsSources } from './tls-material.ts';
import { noTransportMetrics, transportMetrics } from './transport-metrics.ts';

/** How to reach an API server, and as whom: spread it into `createHttpTransport`. */
export interface ClientConfig {
  /** `https://10.0.0.1:6443` */
  readonly server: string;
  readonly tls: TlsSources;
  readonly credentials: Credentials;
  readonly proxyUrl?: string;
  /** Namespace of the context, or of the Pod; `default` where neither says. */
  readonly namespace: string;
}

export interface LoadOptions {
  /** Path of a kubeconfig. */
  readonly kubeconfig?: string;
  /** Address of the API server; overrides the kubeconfig's. */
  readonly master?: string;
  /** Instead of the kubeconfig's current context. */
  readonly context?: string;
  readonly clock?: Clock;
  readonly log?: Logger;
  readonly metrics?: Metrics;
  readonly environment?: Environment;
  /** Where a Pod finds its service account. */
  readonly serviceAccountFolder?: string;
}

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

interface Context {
  readonly clock: Clock;
  readonly log: Logger;
  readonly options: LoadOptions;
}

/**
 * The configuration that `--kubeconfig` and `--master` mean, and the Pod's own without either
 * (`clientcmd.BuildConfigFromFlags`). Throws a ConfigError that names file and field.
 */
export async function loadClientConfig(options: LoadOptions = {}): Promise<ClientConfig> {
  const context: Context = { clock: options.clock ?? systemClock, log: options.log ?? silentLogger, options };
  if (options.kubeconfig) return fromKubeconfig(options.kubeconfig, context);
  if (options.master) {
    return {
      server: serverUrl(options.master, false, '--master'),
      tls: {},
      credentials: anonymous,
      namespace: 'default',
    };
  }
  return inCluster(context);
}

/** The same server with nobody's credentials: for clients that bring a token of their own. */
export function withoutUser(config: ClientConfig): ClientConfig {
  const { certificate: _certificate, key: _key, ...tls } = config.tls;
  return { ...config, tls, credentials: anonymous };
}

async function inCluster({ options, clock, log }: Context): Promise<ClientConfig> {
  const environment = options.environment ?? process.env;
  const folder = options.serviceAccountFolder ?? SERVICE_ACCOUNT;
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = environment;
  if (!host || !port) {
    throw new ConfigError(
      'missing',
      'no way to the API server is configured: give --kubeconfig or --master, or run in a Pod (KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set)',
    );
  }
  const token = join(folder, 'token');
  await readFile(token).catch((cause: unknown) => {
    throw new ConfigError('unreadable', `in-cluster configuration: ${token}: ${whyUnreadable(cause)}`, { cause });
  });
  const ca = join(folder, 'ca.crt');
  const hasCa = await readFile(ca).then(
    () => true,
    (cause: unknown) => {
      log.error('Cannot read the root certificates of the cluster', cause, { file: ca });
      return false;
    },
  );
  const namespace = await readFile(join(folder, 'namespace'), 'utf8').catch(() => '');
  return {
    server: `https://${isIP(host) === 6 ? `[${host}]` : host}:${port}`,
    tls: hasCa ? { ca: { file: ca } } : {},
    credentials: tokenFile(token, clock, log),
    namespace: environment.POD_NAMESPACE || namespace.trim() || 'default',
  };
}

async function fromKubeconfig(file: string, context: Context): Promise<ClientConfig> {
  const { options } = context;
  const selected = await readKubeconfig(file, options.context);
  const { cluster, user } = selected;
  const address = options.master || cluster?.text('server');
  if (cluster === undefined || !address) {
    throw new ConfigError(
      'invalid',
      `kubeconfig ${file}: context ${JSON.stringify(selected.name)} names no cluster with a server`,
    );
  }
  const tls = {
    ...(await clusterTls(cluster, options.master !== undefined && options.master !== '')),
    ...(await userTls(user)),
  };
  const where = options.master ? '--master' : `kubeconfig ${file}: server`;
  const server = serverUrl(address, Object.keys(tls).length > 0, where);
  const proxyUrl = cluster.text('proxy-url');
  const credentials = await userCredentials(user, context, {
    cluster: await clusterInfo(cluster, server),
    provider: () => authProviderCredentials(selected.text, selected.name, context.clock),
  });
  return { server, tls, credentials, namespace: selected.namespace, ...(proxyUrl ? { proxyUrl } : {}) };
}

async function clusterTls(cluster: Section, serverOverridden: boolean): Promise<TlsSources> {
  const ca = await pem(cluster, 'certificate-authority', 'certificate-authority-data');
  const insecure = cluster.flag('insecure-skip-tls-verify');
  if (insecure && ca) {
    throw cluster.error(
      'invalid',
      'insecure-skip-tls-verify',
      'cannot be combined with certificate-authority or certificate-authority-data',
    );
  }
  // The name belongs to the address it was written for.
  const serverName = serverOverridden ? undefined : cluster.text('tls-server-name');
  return { ...(ca ? { ca } : {}), ...(insecure ? { insecure } : {}), ...(serverName ? { serverName } : {}) };
}

async function userTls(user: Section | undefined): Promise<TlsSources> {
  if (user === undefined) return {};
  const certificate = await pem(user, 'client-certificate', 'client-certificate-data');
  const key = await pem(user, 'client-key', 'client-key-data');
  if (certificate && !key) throw user.error('invalid', 'client-key', 'is missing, but there is a client certificate');
  if (key && !certificate) throw user.error('invalid', 'client-certificate', 'is missing, but there is a client key');
  return certificate && key ? { certificate, key } : {};
}

/** PEM in the file or in its place, where data wins as in client-go. */
async function pem(section: Section, fileField: string, dataField: string): Promise<Pem | undefined> {
  const data = section.data(dataField);
  if (data !== undefined) {
    if (!data.includes('-----BEGIN ')) throw section.error('invalid', dataField, 'is not PEM');
    return { data };
  }
  const file = await section.file(fileField);
  if (file === undefined) return undefined;
  if (!(await readFile(file, 'utf8')).includes('-----BEGIN '))
    throw section.error('invalid', fileField, `is not PEM: ${file}`);
  return { file };
}

async function userCredentials(
  user: Section | undefined,
  { clock, log, options }: Context,
  from: { readonly cluster: ExecClusterInfo; readonly provider: () => Credentials },
): Promise<Credentials> {
  if (user === undefined) return anonymous;
  const credentials = await ownCredentials();
  const as = user.text('as');
  if (as === undefined) {
    const orphan = ['as-uid', 'as-groups', 'as-user-extra'].find((field) => user.has(field));
    if (orphan !== undefined) throw user.error('invalid', orphan, 'needs "as" too');
    return credentials;
  }
  const uid = user.text('as-uid');
  const groups = user.texts('as-groups');
  const extra = user.lists('as-user-extra');
  return impersonating(credentials, {
    user: as,
    ...(uid ? { uid } : {}),
    ...(groups ? { groups } : {}),
    ...(extra ? { extra } : {}),
  });

  async function ownCredentials(): Promise<Credentials> {
    const token = user!.text('token');
    const file = await user!.file('tokenFile');
    const username = user!.text('username');
    if (username !== undefined && (token ?? file) !== undefined) {
      throw user!.error('invalid', 'username', 'cannot be combined with a token: only one of them can be sent');
    }
    // The file is the fresher of the two: it is what gets rotated.
    if (file !== undefined) return tokenFile(file, clock, log);
    if (token !== undefined) return bearerToken(token);
    if (username !== undefined) return basicAuth(username, user!.text('password') ?? '');
    const exec = user!.section('exec');
    if (exec !== undefined) {
      const metrics = options.metrics ? transportMetrics(options.metrics, () => clock.now()) : noTransportMetrics;
      const { execCredentials } = await import('./exec-credentials.ts');
      return execCredentials(execConfig(exec), { clock, log, metrics, cluster: from.cluster });
    }
    return user!.has('auth-provider') ? from.provider() : anonymous;
  }
}

const EXEC_VERSIONS = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1'];

function execConfig(exec: Section): ExecConfig {
  const apiVersion = exec.text('apiVersion');
  if (apiVersion === undefined || !EXEC_VERSIONS.includes(apiVersion)) {
    throw exec.error('invalid', 'apiVersion', `must be one of ${EXEC_VERSIONS.join(', ')}`);
  }
  const command = exec.text('command');
  if (command === undefined) throw exec.error('invalid', 'command', 'is required');
  const interactiveMode = exec.text('interactiveMode');
  if (interactiveMode === 'Always')
    throw exec.error('invalid', 'interactiveMode', 'Always cannot be had: nobody can be asked here');
  const args = exec.texts('args');
  const installHint = exec.text('installHint');
  const env = exec.list('env').map((entry) => ({ name: entry.text('name') ?? '', value: entry.text('value') ?? '' }));
  return {
    apiVersion,
    // With a path in it, it counts from the kubeconfig's folder; a bare name is looked for in PATH.
    command: command.includes('/') ? exec.resolve(command) : command,
    env,
    provideClusterInfo: exec.flag('provideClusterInfo'),
    ...(args ? { args } : {}),
    ...(installHint ? { installHint } : {}),
  };
}

async function clusterInfo(cluster: Section, server: string): Promise<ExecClusterInfo> {
  const file = await cluster.file('certificate-authority');
  const data = cluster.text('certificate-authority-data') ?? (file && (await readFile(file)).toString('base64'));
  const name = cluster.text('tls-server-name');
  const proxy = cluster.text('proxy-url');
  return {
    server,
    ...(name ? { 'tls-server-name': name } : {}),
    ...(cluster.flag('insecure-skip-tls-verify') ? { 'insecure-skip-tls-verify': true } : {}),
    ...(data ? { 'certificate-authority-data': data } : {}),
    ...(proxy ? { 'proxy-url': proxy } : {}),
  };
}

/** A whole URL; without a scheme it is `https` where TLS is configured and `http` otherwise (`rest.DefaultServerURL`). */
function serverUrl(address: string, secure: boolean, where: string): string {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(address) ? address : `${secure ? 'https' : 'http'}://${address}`;
  const url = URL.parse(text);
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    throw new ConfigError('invalid', `${where}: ${JSON.stringify(address)} is not an http or https address`);
  }
  return text.replace(/\/+$/, '');
}
