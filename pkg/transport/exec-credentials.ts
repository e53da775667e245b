import { spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';

import { type Clock, parseTime, parseJson } from '#pkg/base';
import { TransportError } from '#pkg/client';
import type { Logger } from '#pkg/log';

import type { Credentials, Headers } from './credentials.ts';
import type { ClientCertificate } from './tls-material.ts';
import type { TransportMetrics } from './transport-metrics.ts';

/** `users[].user.exec` of a kubeconfig. */
export interface ExecConfig {
  readonly apiVersion: string;
  readonly command: string;
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value: string }[];
  readonly installHint?: string;
  readonly provideClusterInfo?: boolean;
  readonly interactiveMode?: string;
}

/** What a plugin that asks for it is told of the cluster (`KUBERNETES_EXEC_INFO`). */
export interface ExecClusterInfo {
  readonly server: string;
  readonly 'tls-server-name'?: string;
  readonly 'insecure-skip-tls-verify'?: boolean;
  readonly 'certificate-authority-data'?: string;
  readonly 'proxy-url'?: string;
}

interface Granted {
  readonly headers: Headers;
  readonly certificate: ClientCertificate | undefined;
  /** Milliseconds since the epoch; infinite where the plugin said none. */
  readonly expires: number;
}

/** A plugin that has not answered by then hangs, ms. client-go waits for ever, and with it every request. */
const PLUGIN_TIMEOUT = 60_000;
const LONGEST_OUTPUT = 1024 * 1024;

/**
 * Credentials from a plugin (client.authentication.k8s.io; `plugin/pkg/client/auth/exec` of client-go): run when they
 * are first needed, when they expire and when the server refuses them; one run at a time, however many wait for it.
 */
export function execCredentials(
  config: ExecConfig,
  parts: { clock: Clock; log: Logger; metrics: TransportMetrics; cluster?: ExecClusterInfo | undefined },
): Credentials {
  const { clock, log, metrics } = parts;
  let granted: Granted | undefined;
  let running: Promise<Granted> | undefined;

  const run = (): Promise<Granted> =>
    (running ??= runPlugin(config, parts)
      .then((next) => {
        const old = granted?.certificate;
        if (old !== undefined && old.certificate !== next.certificate?.certificate) {
          metrics.certificateReplaced(
            (clock.now() - Date.parse(new X509Certificate(old.certificate).validFrom)) / 1000,
          );
        }
        metrics.pluginCertificateExpires(
          next.certificate && Date.parse(new X509Certificate(next.certificate.certificate).validTo),
        );
        granted = sameCertificate(granted, next);
        return granted;
      })
      .finally(() => (running = undefined)));

  const current = (): Granted | Promise<Granted> =>
    granted !== undefined && clock.now() <= granted.expires ? granted : run();

  return {
    headers() {
      const now = current();
      return now instanceof Promise ? now.then((next) => next.headers) : now.headers;
    },
    clientCertificate() {
      const now = current();
      return now instanceof Promise ? now.then((next) => next.certificate) : now.certificate;
    },
    async refused(used) {
      if (granted !== undefined && granted.headers !== used && granted.headers.authorization !== used.authorization)
        return true;
      const before = granted?.certificate;
      try {
        const next = await run();
        return next.headers.authorization !== used.authorization || next.certificate !== before;
      } catch (error) {
        log.error('Cannot refresh the credentials', error, { command: config.command });
        return false;
      }
    },
  };
}

/** The same certificate stays the same object, so that connections are kept. */
function sameCertificate(old: Granted | undefined, next: Granted): Granted {
  const same =
    old?.certificate?.certificate === next.certificate?.certificate && old?.certificate?.key === next.certificate?.key;
  return same && old !== undefined ? { ...next, certificate: old.certificate } : next;
}

async function runPlugin(
  config: ExecConfig,
  { clock, metrics, cluster }: { clock: Clock; metrics: TransportMetrics; cluster?: ExecClusterInfo | undefined },
): Promise<Granted> {
  const spec = { interactive: false, ...(config.provideClusterInfo && cluster ? { cluster } : {}) };
  const info = JSON.stringify({ kind: 'ExecCredential', apiVersion: config.apiVersion, spec });
  const given = Object.fromEntries((config.env ?? []).map(({ name, value }) => [name, value]));
  metrics.pluginAllowed();
  const output = await capture(config, { ...process.env, ...given, KUBERNETES_EXEC_INFO: info }, clock, metrics);
  return readCredential(config, output);
}

function capture(config: ExecConfig, env: NodeJS.ProcessEnv, clock: Clock, metrics: TransportMetrics): Promise<string> {
  return new Promise((resolve, reject) => {
    // In a group of its own, which ends with all that the plugin has started.
    const stdio: ['ignore', 'pipe', 'pipe'] = ['ignore', 'pipe', 'pipe'];
    const child = spawn(config.command, [...(config.args ?? [])], { env, stdio, detached: true });
    const group = endsWithProcess(child.pid);
    let output = '';
    let tooLong = false;
    let complaint = '';
    let timedOut = false;
    const timer = clock.setTimeout(() => {
      timedOut = true;
      group.kill();
    }, PLUGIN_TIMEOUT);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (output.length <= LONGEST_OUTPUT) return;
      output = '';
      tooLong = true;
      group.kill();
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint = (complaint + text).slice(-2000)));
    child.once('error', (cause: NodeJS.ErrnoException) => {
      timer.cancel();
      group.forget();
      const missing = cause.code === 'ENOENT' || cause.code === 'EACCES';
      metrics.pluginCalled(1, missing ? 'plugin_not_found_error' : 'client_internal_error');
      const hint = config.installHint ? ` (${config.installHint})` : '';
      reject(failed(config, missing ? `executable not found${hint}` : cause.message, cause));
    });
    child.once('close', (code, signal) => {
      timer.cancel();
      group.forget();
      if (code === 0) {
        metrics.pluginCalled(0, 'no_error');
        resolve(output);
        return;
      }
      metrics.pluginCalled(code ?? 1, 'plugin_execution_error');
      const how = tooLong
        ? `printed more than ${LONGEST_OUTPUT / 1024 / 1024} MiB`
        : timedOut
          ? `did not end within ${PLUGIN_TIMEOUT / 1000} s`
          : code === null
            ? `killed by ${signal}`
            : `exit code ${code}`;
      const said = complaint.trim().split('\n').at(-1) ?? '';
      reject(failed(config, said === '' ? how : `${how}: ${said}`));
    });
  });
}

/** Process groups of plugins that are running. */
const groups = new Set<number>();
let watched = false;

/** Sees to it that a group of processes does not outlive this one. */
function endsWithProcess(pid: number | undefined): { kill(): void; forget(): void } {
  if (pid === undefined) return { kill: () => {}, forget: () => {} };
  if (!watched) process.on('exit', () => groups.forEach(killGroup));
  watched = true;
  groups.add(pid);
  return { kill: () => killGroup(pid), forget: () => groups.delete(pid) };
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

function readCredential(config: ExecConfig, output: string): Granted {
  const credential = parseCredential(config, output);
  if (credential.apiVersion !== config.apiVersion) {
    // Anything else that stands there may be a secret.
    const version = String(credential.apiVersion);
    const shown = /^client\.authentication\.k8s\.io\/v\w{1,12}$/.test(version) ? version : 'another version';
    throw failed(config, `it is configured for ${config.apiVersion} but answered in ${shown}`);
  }
  const { status } = credential;
  if (!status) throw failed(config, 'it gave no status');
  const { token, clientCertificateData: certificate, clientKeyData: key, expirationTimestamp } = status;
  if (!token && !certificate && !key) throw failed(config, 'it gave neither a token nor a certificate');
  if (!certificate !== !key) throw failed(config, 'it gave only one of certificate and key');
  const expires = parseTime(expirationTimestamp);
  return {
    headers: token ? { authorization: `Bearer ${token}` } : {},
    certificate: certificate && key ? { certificate, key } : undefined,
    expires: Number.isNaN(expires) ? Number.POSITIVE_INFINITY : expires,
  };
}

interface ExecCredential {
  readonly apiVersion?: string;
  readonly status?: {
    readonly token?: string;
    readonly clientCertificateData?: string;
    readonly clientKeyData?: string;
    readonly expirationTimestamp?: string;
  };
}

function parseCredential(config: ExecConfig, output: string): ExecCredential {
  try {
    const value = parseJson(output);
    if (typeof value === 'object' && value !== null) return value;
  } catch (cause) {
    throw failed(config, 'its output is not JSON', cause);
  }
  throw failed(config, 'its output is not an object');
}

function failed(config: ExecConfig, what: string, cause?: unknown): TransportError {
  return new TransportError('credentials', `the credential plugin ${config.command}: ${what}`, {}, { cause });
}
