/**
 * Reaching a real API server from Node: kubeconfig or service account, TLS, tokens, plugins and proxies, over HTTP/2
 * with one connection each for reads, writes and lease renewal. Everything that can rotate on disk is read again. For an
 * embedded server in the same process use that server's own transport; it needs none of this.
 *
 * Kubeconfigs are read here rather than by client-node's `KubeConfig`: it takes a second of CPU to load, says neither
 * file nor field when one is wrong, and knows no rotation of certificates, no `tokenFile` and no groups to impersonate.
 * It still serves the legacy `auth-provider` users (OIDC), and is loaded only for them.
 *
 *     const config = await loadClientConfig({ kubeconfig: '/etc/kubernetes/admin.conf' });
 *     const transport = createHttpTransport({ ...config, log, metrics });
 *     const client = createClient({ transport, userAgent: 'example/v1' });
 */
export { type ClientConfig, type LoadOptions, loadClientConfig, withoutUser } from './client-config.ts';
export { ConfigError, type ConfigErrorCode } from './config-error.ts';
export {
  type Credentials,
  type Headers,
  type Impersonation,
  anonymous,
  basicAuth,
  bearerToken,
  impersonating,
  tokenFile,
} from './credentials.ts';
export { type ExecConfig } from './exec-credentials.ts';
export { type HttpTransportOptions, createHttpTransport } from './http-transport.ts';
export type { SessionTimes } from './http2/http2-session.ts';
export type { ClientCertificate, Pem, TlsSources } from './tls-material.ts';
