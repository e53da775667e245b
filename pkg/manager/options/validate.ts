import { ownValue } from '#pkg/base';
import { isIP } from 'node:net';

import type { FeatureGates } from '#pkg/featuregates';

import type { Registry } from '../registry/registry.ts';
import type { AllFlagValues, FlagSection } from './flag.ts';
import { formatValue } from './help.ts';
import type { ManagerFlagValues } from './sections.ts';
import { cipherList, curveList, tlsVersion } from './tls-names.ts';

type Values = Readonly<Record<string, AllFlagValues[keyof AllFlagValues]>>;

export interface Checked {
  readonly flags: ManagerFlagValues;
  readonly values: Values;
  readonly sections: readonly FlagSection[];
  readonly registry: Registry;
  readonly gates: FeatureGates;
}

/**
 * Everything wrong with the options, each naming its flag; none when all is well. Follows the `Validate` methods of
 * `cmd/kube-controller-manager/app/options`, and takes in what the original finds only when it is about to start.
 */
export function problemsOf(checked: Checked): string[] {
  const { flags } = checked;
  return [
    ...controllerProblems(flags, checked.registry),
    ...leaderElectionProblems(flags),
    ...clientProblems(flags),
    ...rangeProblems(checked),
    ...servingProblems(flags),
    ...requestHeaderProblems(flags, checked.gates),
    ...metricsProblems(flags),
    ...cloudProblems(flags),
    ...signingProblems(checked.values),
    ...cidrProblems(flags, checked.values),
  ];
}

function controllerProblems(flags: ManagerFlagValues, registry: Registry): string[] {
  const names = flags.controllers.filter((name) => name !== '*').map((name) => name.replace(/^-/, ''));
  const unknown = names.filter((name) => registry.canonicalName(name) === undefined);
  if (unknown.length === 0) return [];
  const listed = unknown.map((name) => `"${name}" is not in the list of known controllers`);
  return [`--controllers: ${listed.join(', ')}; known are ${registry.names.join(', ')}`];
}

function leaderElectionProblems(flags: ManagerFlagValues): string[] {
  if (!flags['leader-elect']) return [];
  const problems: string[] = [];
  const lease = flags['leader-elect-lease-duration'];
  const renew = flags['leader-elect-renew-deadline'];
  const retry = flags['leader-elect-retry-period'];
  if (flags['leader-elect-resource-lock'] !== 'leases')
    problems.push('--leader-elect-resource-lock: resourceLock value must be "leases"');
  if (lease <= 0) problems.push('--leader-elect-lease-duration: leaseDuration must be greater than zero');
  if (renew <= 0) problems.push('--leader-elect-renew-deadline: renewDeadline must be greater than zero');
  if (retry <= 0) problems.push('--leader-elect-retry-period: retryPeriod must be greater than zero');
  if (problems.length === 0 && lease <= renew) {
    problems.push(
      '--leader-elect-lease-duration: leaseDuration must be greater than renewDeadline (--leader-elect-renew-deadline)',
    );
  }
  if (problems.length === 0 && renew <= retry * 1.2) {
    problems.push(
      '--leader-elect-renew-deadline: renewDeadline must be greater than retryPeriod*JitterFactor (1.2 times --leader-elect-retry-period)',
    );
  }
  for (const flag of ['leader-elect-resource-name', 'leader-elect-resource-namespace'] as const) {
    if (flags[flag] === '') problems.push(`--${flag}: must not be empty`);
  }
  return problems;
}

function clientProblems(flags: ManagerFlagValues): string[] {
  if (flags['kube-api-qps'] <= 0 || flags['kube-api-burst'] > 0) return [];
  return [
    '--kube-api-burst: burst is required to be greater than 0 when QPS (--kube-api-qps) is set to greater than 0',
  ];
}

/** Flags that say themselves between what they must be. */
function rangeProblems({ sections, values }: Checked): string[] {
  return sections.flatMap((section) =>
    section.flags.flatMap((flag) => {
      const value = ownValue(values, flag.name);
      if (typeof value !== 'number' || value === flag.default) return [];
      const shown = (limit: number): string => formatValue(flag, limit);
      if (flag.minimum !== undefined && value < flag.minimum) {
        return [`--${flag.name} must not be less than ${shown(flag.minimum)}, but got ${shown(value)}`];
      }
      if (flag.maximum !== undefined && value > flag.maximum) {
        return [`--${flag.name} must not be more than ${shown(flag.maximum)}, but got ${shown(value)}`];
      }
      return [];
    }),
  );
}

function servingProblems(flags: ManagerFlagValues): string[] {
  const problems: string[] = [];
  const port = flags['secure-port'];
  if (port < 0 || port > 65535)
    problems.push(`--secure-port ${port} must be between 0 and 65535, inclusive. 0 for turning off secure port`);
  if ((flags['tls-cert-file'] === '') !== (flags['tls-private-key-file'] === '')) {
    problems.push('--tls-cert-file and --tls-private-key-file must be given together');
  }
  const attempts: [string, () => unknown][] = [
    ['tls-cipher-suites', () => cipherList(flags['tls-cipher-suites'])],
    ['tls-min-version', () => tlsVersion(flags['tls-min-version'])],
    ['tls-curve-preferences', () => curveList(flags['tls-curve-preferences'])],
  ];
  for (const [flag, attempt] of attempts) {
    try {
      attempt();
    } catch (error) {
      problems.push(`--${flag}: ${(error as Error).message}`);
    }
  }
  for (const path of flags['authorization-always-allow-paths']) {
    if (path.slice(0, -1).includes('*'))
      problems.push(`--authorization-always-allow-paths: only trailing * allowed in "${path}"`);
  }
  return problems;
}

function requestHeaderProblems(flags: ManagerFlagValues, gates: FeatureGates): string[] {
  const lists = [
    'requestheader-username-headers',
    'requestheader-group-headers',
    'requestheader-extra-headers-prefix',
    'requestheader-allowed-names',
  ] as const;
  const blank = lists.filter((flag) => flags[flag].some((value) => value.trim() === ''));
  const problems = blank.map((flag) => `--${flag}: empty value in "${flag}"`);
  const uid = flags['requestheader-uid-headers'];
  if (uid.length === 0) return problems;
  if (!gates.enabled('RemoteRequestHeaderUID')) {
    problems.push('--requestheader-uid-headers requires the "RemoteRequestHeaderUID" feature to be enabled');
  } else if (!uid.some((header) => header.toLowerCase() === 'x-remote-uid')) {
    problems.push(
      '--requestheader-uid-headers is set without specifying the standard X-Remote-Uid header - API aggregation will not work',
    );
  }
  return problems;
}

const METRIC_NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABEL_NAME = '[a-zA-Z_][a-zA-Z0-9_]*';
export const METRIC_LABEL = new RegExp(`^${METRIC_NAME},${LABEL_NAME}$`);

function metricsProblems(flags: ManagerFlagValues): string[] {
  const problems: string[] = [];
  const hidden = flags['show-hidden-metrics-for-version'];
  if (hidden !== '' && hidden !== '1.35') {
    problems.push(
      `--show-hidden-metrics-for-version: Invalid value: "${hidden}": must be omitted or have the value '1.35'; only the previous minor version is allowed`,
    );
  }
  const name = flags['disabled-metrics'].find((metric) => !new RegExp(`^${METRIC_NAME}$`).test(metric));
  if (name !== undefined)
    problems.push(
      `--disabled-metrics: must be fully qualified metric names matching "^${METRIC_NAME}$", got "${name}"`,
    );
  const key = Object.keys(flags['allow-metric-labels']).find((label) => !METRIC_LABEL.test(label));
  if (key !== undefined) {
    problems.push(`--allow-metric-labels: must have keys with format \`metricName,labelName\`, got "${key}"`);
  }
  if (Object.keys(flags['allow-metric-labels']).length > 0 && flags['allow-metric-labels-manifest'] !== '') {
    problems.push(
      '--allow-metric-labels: cannot specify both --allow-metric-labels and --allow-metric-labels-manifest',
    );
  }
  return problems;
}

function cloudProblems(flags: ManagerFlagValues): string[] {
  const problems: string[] = [];
  const provider = flags['cloud-provider'];
  if (provider !== '' && provider !== 'external') {
    problems.push(
      `--cloud-provider: cloud provider "${provider}" was specified, but built-in cloud providers are disabled. Please set --cloud-provider=external and migrate to an external cloud provider`,
    );
  }
  const allocator = flags['cidr-allocator-type'];
  if (allocator !== '' && allocator !== 'RangeAllocator') {
    problems.push(
      `--cidr-allocator-type: built-in cloud providers are disabled. The ipam ${allocator} is not available`,
    );
  }
  return problems;
}

const SIGNERS = ['kubelet-serving', 'kubelet-client', 'kube-apiserver-client', 'legacy-unknown'];

function signingProblems(values: Values): string[] {
  const given = (flag: string): boolean => textOf(values, flag) !== '';
  const problems = SIGNERS.flatMap((signer) => {
    const cert = `cluster-signing-${signer}-cert-file`;
    const key = `cluster-signing-${signer}-key-file`;
    if (given(cert) === given(key)) return [];
    return [
      given(cert)
        ? `--${cert}: cannot specify cert without key (--${key})`
        : `--${key}: cannot specify key without cert (--${cert})`,
    ];
  });
  const general = given('cluster-signing-cert-file') || given('cluster-signing-key-file');
  if (
    general &&
    SIGNERS.some(
      (signer) => given(`cluster-signing-${signer}-cert-file`) || given(`cluster-signing-${signer}-key-file`),
    )
  ) {
    problems.push(
      'cannot specify --cluster-signing-{cert,key}-file and other --cluster-signing-*-file flags at the same time',
    );
  }
  return problems;
}

function cidrProblems(flags: ManagerFlagValues, values: Values): string[] {
  const problems: string[] = [];
  const services = textOf(values, 'service-cluster-ip-range').split(',');
  if (services.length > 2) problems.push('--service-cluster-ip-range can not contain more than two entries');
  if (!flags['allocate-node-cidrs']) return problems;
  const cidrs = flags['cluster-cidr'].split(',').map((cidr) => cidr.trim());
  const wrong = cidrs.find((cidr) => familyOf(cidr) === 0);
  if (wrong !== undefined)
    return [...problems, `--cluster-cidr: invalid CIDR address: ${wrong} (needed with --allocate-node-cidrs)`];
  if (cidrs.length > 2)
    problems.push(`--cluster-cidr: length of clusterCIDRs is:${cidrs.length} more than max allowed of 2`);
  if (cidrs.length === 2 && familyOf(cidrs[0]!) === familyOf(cidrs[1]!)) {
    problems.push(
      '--cluster-cidr: len of ClusterCIDRs==2 and they are not configured as dual stack (at least one from each IPFamily)',
    );
  }
  return [...problems, ...maskProblems(values, cidrs)];
}

function maskProblems(values: Values, cidrs: readonly string[]): string[] {
  const given = (suffix: string): boolean => ownValue(values, `node-cidr-mask-size${suffix}`) !== 0;
  if (cidrs.length > 1)
    return given('') ? ['usage of --node-cidr-mask-size is not allowed with dual-stack clusters'] : [];
  if (given('')) {
    if (!given('-ipv4') && !given('-ipv6')) return [];
    return [
      'usage of --node-cidr-mask-size-ipv4 and --node-cidr-mask-size-ipv6 is not allowed if --node-cidr-mask-size is set',
    ];
  }
  const family = familyOf(cidrs[0]!);
  if (given('-ipv4') && family === 6)
    return ['usage of --node-cidr-mask-size-ipv4 is not allowed for a single-stack IPv6 cluster'];
  if (given('-ipv6') && family === 4)
    return ['usage of --node-cidr-mask-size-ipv6 is not allowed for a single-stack IPv4 cluster'];
  return [];
}

/** The value of a flag of type string; empty where there is no such flag. */
export function textOf(values: Values, flag: string): string {
  const value = ownValue(values, flag);
  return typeof value === 'string' ? value : '';
}

/** 4 or 6; 0 for what is no CIDR. */
function familyOf(cidr: string): number {
  const match = /^([^/]+)\/(\d{1,3})$/.exec(cidr);
  if (!match) return 0;
  const family = isIP(match[1]!);
  return Number(match[2]) <= (family === 6 ? 128 : 32) ? family : 0;
}
