import type { Flag } from './flag.ts';

export const secureServingFlags = [
  {
    name: 'bind-address',
    type: 'ip',
    default: '0.0.0.0',
    help: 'Address to listen on; 0.0.0.0 or :: for all of the machine',
  },
  {
    name: 'cert-dir',
    type: 'string',
    default: '',
    help: 'Folder to keep a self-signed serving certificate in. Without it the certificate lives in memory. Not used with --tls-cert-file and --tls-private-key-file',
  },
  { name: 'disable-http2-serving', type: 'bool', default: false, help: 'Serve HTTP/1.1 only' },
  {
    name: 'http2-max-streams-per-connection',
    type: 'int',
    default: 0,
    help: 'Most streams a client may have open on one HTTP/2 connection; 0 for the default',
  },
  { name: 'permit-address-sharing', type: 'bool', default: false, help: 'Bind with SO_REUSEADDR' },
  {
    name: 'permit-port-sharing',
    type: 'bool',
    default: false,
    help: 'Bind with SO_REUSEPORT, so that more than one process can listen on the port',
  },
  {
    name: 'secure-port',
    type: 'int',
    default: 10257,
    help: 'Port for HTTPS with authentication and authorization; 0 to serve nothing',
  },
  {
    name: 'tls-cert-file',
    type: 'string',
    default: '',
    help: 'Serving certificate, with the certificates of its authority behind it. Without it one is made',
  },
  {
    name: 'tls-cipher-suites',
    type: 'strings',
    default: [],
    help: 'Cipher suites by their names in Go, comma-separated',
  },
  {
    name: 'tls-curve-preferences',
    type: 'int32Slice',
    default: [],
    help: "Key exchanges by their numbers in Go's crypto/tls, comma-separated",
  },
  {
    name: 'tls-min-version',
    type: 'string',
    default: '',
    help: 'Lowest TLS version: VersionTLS10, VersionTLS11, VersionTLS12 or VersionTLS13',
  },
  { name: 'tls-private-key-file', type: 'string', default: '', help: 'Private key of --tls-cert-file' },
  {
    name: 'tls-sni-cert-key',
    type: 'namedCertKey',
    default: [],
    help: 'Certificate and key for some server names: "crt,key" or "crt,key:*.example.com,example.com". Repeatable',
  },
] as const satisfies readonly Flag[];

export const authenticationFlags = [
  {
    name: 'authentication-kubeconfig',
    type: 'string',
    default: '',
    help: "Kubeconfig for token reviews and for the cluster's client authorities. Without it every request is anonymous",
  },
  {
    name: 'authentication-skip-lookup',
    type: 'bool',
    default: false,
    help: 'Do not read missing authentication settings from the cluster',
  },
  {
    name: 'authentication-token-webhook-cache-ttl',
    type: 'duration',
    default: 10_000,
    help: 'How long the answer of a token review counts',
  },
  {
    name: 'authentication-tolerate-lookup-failure',
    type: 'bool',
    default: false,
    help: 'Start even if the settings cannot be read from the cluster; requests may then all be anonymous',
  },
  {
    name: 'client-ca-file',
    type: 'string',
    default: '',
    help: 'Authorities of client certificates; the common name is the user',
  },
  {
    name: 'requestheader-allowed-names',
    type: 'strings',
    default: [],
    help: 'Common names of certificates that may name the user in headers; none for any that --requestheader-client-ca-file signed',
  },
  {
    name: 'requestheader-client-ca-file',
    type: 'string',
    default: '',
    help: 'Authorities of the certificates of proxies whose user headers are believed',
  },
  {
    name: 'requestheader-extra-headers-prefix',
    type: 'strings',
    default: ['x-remote-extra-'],
    help: 'Prefixes of headers with extra attributes of the user',
  },
  {
    name: 'requestheader-group-headers',
    type: 'strings',
    default: ['x-remote-group'],
    help: "Headers with the user's groups",
  },
  { name: 'requestheader-uid-headers', type: 'strings', default: [], help: "Headers with the user's UID" },
  {
    name: 'requestheader-username-headers',
    type: 'strings',
    default: ['x-remote-user'],
    help: "Headers with the user's name",
  },
] as const satisfies readonly Flag[];

export const authorizationFlags = [
  {
    name: 'authorization-always-allow-paths',
    type: 'strings',
    default: ['/healthz', '/readyz', '/livez'],
    help: 'Paths that anyone may get; a trailing * stands for any rest',
  },
  {
    name: 'authorization-kubeconfig',
    type: 'string',
    default: '',
    help: 'Kubeconfig for access reviews. Without it requests that need one are forbidden',
  },
  {
    name: 'authorization-webhook-cache-authorized-ttl',
    type: 'duration',
    default: 10_000,
    help: 'How long a permission counts',
  },
  {
    name: 'authorization-webhook-cache-unauthorized-ttl',
    type: 'duration',
    default: 10_000,
    help: 'How long a refusal counts',
  },
] as const satisfies readonly Flag[];
