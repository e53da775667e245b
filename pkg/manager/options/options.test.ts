import { describe, expect, test } from 'vitest';

import { type ControllerDefinition, defineController } from '#pkg/controller';

import { createRegistry } from '../registry/registry.ts';
import { componentConfig } from './config.ts';
import { type CommandLine, type Options, completeOptions, flagTexts, readCommandLine } from './options.ts';
import type { PendingFlags } from './sections.ts';

const sample: ControllerDefinition = defineController({
  name: 'replicaset-controller',
  aliases: ['replicaset'],
  flags: [
    {
      name: 'concurrent-replicaset-syncs',
      type: 'int32',
      default: 5,
      help: 'Workers',
      config: 'ReplicaSetController.ConcurrentRSSyncs',
    },
  ],
  rbac: [],
  create: () => ({ name: 'replicaset-controller', run: () => Promise.resolve() }),
});
const registry = createRegistry([sample]);
const pending: PendingFlags = {
  'endpointslice-controller': [
    { name: 'max-endpoints-per-slice', type: 'int32', default: 100, minimum: 1, maximum: 1000, help: 'Most' },
  ],
  'persistentvolume-attach-detach-controller': [
    { name: 'attach-detach-reconcile-sync-period', type: 'duration', default: 60_000, minimum: 1000, help: 'Period' },
  ],
  'node-ipam-controller': ['node-cidr-mask-size', 'node-cidr-mask-size-ipv4', 'node-cidr-mask-size-ipv6'].map(
    (name) => ({ name, type: 'int32', default: 0, help: name }),
  ),
};

function read(...argv: string[]): CommandLine {
  const request = readCommandLine(argv, registry, pending, 80);
  if (request.kind !== 'run') throw new Error(`not a request to run: ${request.kind}`);
  return request.line;
}

const complete = (...argv: string[]): Promise<Options> => completeOptions(read(...argv));

describe('reading', () => {
  test.each<[string[], string, unknown]>([
    [[], 'leader-elect', true],
    [['--leader-elect=false'], 'leader-elect', false],
    [['--leader_elect=F'], 'leader-elect', false],
    [['--profiling'], 'profiling', true],
    [['--min-resync-period=1h2m3.5s'], 'min-resync-period', 3_723_500],
    [['--leader-elect-lease-duration', '20s'], 'leader-elect-lease-duration', 20_000],
    [['--kube-api-qps=1e2'], 'kube-api-qps', 100],
    [['--kube-api-burst=0x10'], 'kube-api-burst', 16],
    [
      ['--controllers=*,-ttl', '--controllers', 'token-cleaner-controller'],
      'controllers',
      ['*', '-ttl', 'token-cleaner-controller'],
    ],
    [['--controllers='], 'controllers', []],
    [['--kubeconfig', '--profiling'], 'kubeconfig', '--profiling'],
    [['--kubeconfig', '--'], 'kubeconfig', '--'],
    [['--master=a=b'], 'master', 'a=b'],
    [['--kubeconfig', ''], 'kubeconfig', ''],
    [['--disabled-metrics="a,b",c'], 'disabled-metrics', ['a,b', 'c']],
    [['--allow-metric-labels=m,l=v1,v2'], 'allow-metric-labels', { 'm,l': 'v1,v2' }],
    [['--allow-metric-labels="m,l=v1,v2","n,k=w"'], 'allow-metric-labels', { 'm,l': 'v1,v2', 'n,k': 'w' }],
    [['--bind-address=::1'], 'bind-address', '::1'],
    [['-v=4'], 'v', 4],
    [['-v', '4'], 'v', 4],
    [['-v4'], 'v', 4],
    [
      ['--vmodule=a*=1,b=2'],
      'vmodule',
      [
        { pattern: 'a*', verbosity: 1 },
        { pattern: 'b', verbosity: 2 },
      ],
    ],
    [
      ['--tls-sni-cert-key=a.crt,a.key:*.x.org,x.org', '--tls-sni-cert-key=b.crt,b.key'],
      'tls-sni-cert-key',
      [
        { certFile: 'a.crt', keyFile: 'a.key', names: ['*.x.org', 'x.org'] },
        { certFile: 'b.crt', keyFile: 'b.key', names: [] },
      ],
    ],
    [['--tls-curve-preferences=29,23'], 'tls-curve-preferences', [29, 23]],
    [['--log-json-info-buffer-size=0Ki'], 'log-json-info-buffer-size', '0Ki'],
    [['--controller-start-interval=-1s'], 'controller-start-interval', -1000],
  ])('%j gives --%s %j', (argv, flag, expected) => {
    expect(read(...argv).values[flag]).toEqual(expected);
  });

  test.each<[string[], string]>([
    [['--nosuch'], 'unknown flag: --nosuch'],
    [['--nosuch=3'], 'unknown flag: --nosuch'],
    [['--kubeconfg=x'], 'unknown flag: --kubeconfg (Did you mean --kubeconfig?)'],
    [['--no-leader-elect'], 'unknown flag: --no-leader-elect'],
    [['-5'], "unknown shorthand flag: '5' in -5"],
    [['--', '--profiling'], '"kube-controller-manager" does not take any arguments, got ["--profiling"]'],
    [['-x'], "unknown shorthand flag: 'x' in -x"],
    [['--=x'], 'bad flag syntax: --=x'],
    [['extra'], '"kube-controller-manager" does not take any arguments, got ["extra"]'],
    [['--profiling', 'false'], '"kube-controller-manager" does not take any arguments, got ["false"]'],
    [['--kubeconfig'], 'flag needs an argument: --kubeconfig'],
    [['-v'], "flag needs an argument: 'v' in -v"],
    [
      ['--kube-api-burst=x'],
      'invalid argument "x" for "--kube-api-burst" flag: strconv.ParseInt: parsing "x": invalid syntax',
    ],
    [
      ['--kube-api-burst=3000000000'],
      'invalid argument "3000000000" for "--kube-api-burst" flag: strconv.ParseInt: parsing "3000000000": value out of range',
    ],
    [
      ['--leader-elect=foo'],
      'invalid argument "foo" for "--leader-elect" flag: strconv.ParseBool: parsing "foo": invalid syntax',
    ],
    [
      ['--min-resync-period=5'],
      'invalid argument "5" for "--min-resync-period" flag: time: missing unit in duration "5"',
    ],
    [
      ['--min-resync-period=5x'],
      'invalid argument "5x" for "--min-resync-period" flag: time: unknown unit "x" in duration "5x"',
    ],
    [
      ['--kube-api-qps=abc'],
      'invalid argument "abc" for "--kube-api-qps" flag: strconv.ParseFloat: parsing "abc": invalid syntax',
    ],
    [['--v=x'], 'invalid argument "x" for "-v, --v" flag: strconv.ParseUint: parsing "x": invalid syntax'],
    [['--vmodule=foo'], 'invalid argument "foo" for "--vmodule" flag: "foo" does not have the pattern=N format'],
    [
      ['--log-json-info-buffer-size=abc'],
      'invalid argument "abc" for "--log-json-info-buffer-size" flag: quantities must match the regular expression',
    ],
    [
      ['--allow-metric-labels=foo'],
      'invalid argument "foo" for "--allow-metric-labels" flag: foo must be formatted as key=value',
    ],
    [['--bind-address=foo'], 'invalid argument "foo" for "--bind-address" flag: failed to parse IP: "foo"'],
    [
      ['--tls-sni-cert-key=foo'],
      'invalid argument "foo" for "--tls-sni-cert-key" flag: expected comma separated certificate and key file paths',
    ],
    [
      ['--version=foo'],
      'invalid argument "foo" for "--version" flag: strconv.ParseBool: parsing "foo": invalid syntax',
    ],
    [
      ['--version=v1.36.0'],
      'invalid argument "v1.36.0" for "--version" flag: version "v1.36.0" must match major/minor/patch of default version "v1.36.2"',
    ],
    [['--emulated-version=1.20'], '--emulated-version: emulation version 1.20 is not between [1.33, 1.36.2]'],
    [['--emulated-version=foo'], '--emulated-version: could not parse "foo" as version'],
    [['--emulated-version=wardle=1.35'], '--emulated-version: component not registered: wardle'],
    [['--min-compatibility-version=1.37'], 'minCompatibilityVersion version 1.37 is not between [1.33, 1.36]'],
    [['--feature-gates=NoSuch=true'], '--feature-gates: unrecognized feature gate: NoSuch'],
    [['--feature-gates=AllAlpha'], '--feature-gates: missing bool value for AllAlpha'],
    [
      ['--feature-gates=AllAlpha=x'],
      '--feature-gates: invalid value of AllAlpha=x, err: strconv.ParseBool: parsing "x": invalid syntax',
    ],
    [
      ['--feature-gates=DynamicResourceAllocation=false'],
      'cannot set feature gate DynamicResourceAllocation to false, feature is locked to true',
    ],
    [['--feature-gates=foo:X=true'], '--feature-gates: component not registered: foo'],
    [['--feature-gates=kube:AllBeta=true,AllAlpha=true'], 'do not mix use'],
    [['--logging-format=xml'], '--logging-format: Invalid value: "xml": Unsupported log format'],
    [['--logging-format=json', '--vmodule=a=1'], '--vmodule: Forbidden: Only supported for text log format'],
    [['--log-text-split-stream'], '--log-text-split-stream: Forbidden: Feature LoggingAlphaOptions is disabled'],
    [['--log-flush-frequency=0s'], '--log-flush-frequency: Invalid value: "0s": Must be greater than zero'],
  ])('%j is refused: %s', (argv, message) => {
    expect(() => read(...argv)).toThrow(message);
  });

  test('a refusal is one line', () => {
    expect(() => read('--kube-api-burst=a\nb')).toThrow(/^[^\n]*$/);
  });

  test('says which deprecated flags were given, and takes them', () => {
    expect(read('--node-sync-period=3s').warnings).toEqual([
      'Flag --node-sync-period has been deprecated, This flag is currently no-op and will be deleted.',
    ]);
  });
});

describe('checking', () => {
  test.each<[string[], string]>([
    [
      ['--controllers=foo,-bar'],
      '--controllers: "foo" is not in the list of known controllers, "bar" is not in the list of known controllers; known are bootstrap-signer-controller, ',
    ],
    [
      ['--secure-port=99999'],
      '--secure-port 99999 must be between 0 and 65535, inclusive. 0 for turning off secure port',
    ],
    [['--leader-elect-resource-lock=endpoints'], 'resourceLock value must be "leases"'],
    [
      ['--leader-elect-lease-duration=5s'],
      '--leader-elect-lease-duration: leaseDuration must be greater than renewDeadline',
    ],
    [
      ['--leader-elect-renew-deadline=2s'],
      '--leader-elect-renew-deadline: renewDeadline must be greater than retryPeriod*JitterFactor',
    ],
    [['--leader-elect-retry-period=0s'], '--leader-elect-retry-period: retryPeriod must be greater than zero'],
    [['--leader-elect-resource-name='], '--leader-elect-resource-name: must not be empty'],
    [['--kube-api-burst=-1'], '--kube-api-burst: burst is required to be greater than 0'],
    [['--cloud-provider=aws'], 'cloud provider "aws" was specified, but built-in cloud providers are disabled'],
    [['--cidr-allocator-type=CloudAllocator'], 'The ipam CloudAllocator is not available'],
    [['--show-hidden-metrics-for-version=1.2'], `Invalid value: "1.2": must be omitted or have the value '1.35'`],
    [['--disabled-metrics=a-b'], '--disabled-metrics: must be fully qualified metric names'],
    [['--allow-metric-labels=a=b'], '--allow-metric-labels: must have keys with format'],
    [['--tls-min-version=foo'], '--tls-min-version: unknown tls version "foo"'],
    [['--tls-min-version=constructor'], '--tls-min-version: unknown tls version "constructor"'],
    [['--tls-cipher-suites=toString'], "Cipher suite toString not supported or doesn't exist"],
    [['--controllers=constructor'], '"constructor" is not in the list of known controllers'],

    [['--tls-cipher-suites=foo'], "--tls-cipher-suites: Cipher suite foo not supported or doesn't exist"],
    [['--tls-curve-preferences=9999'], '--tls-curve-preferences: curve preference 9999 not supported'],
    [['--tls-cert-file=a'], '--tls-cert-file and --tls-private-key-file must be given together'],
    [
      ['--authorization-always-allow-paths=/a*b'],
      '--authorization-always-allow-paths: only trailing * allowed in "/a*b"',
    ],
    [['--requestheader-group-headers= '], '--requestheader-group-headers: empty value'],
    [['--max-endpoints-per-slice=0'], '--max-endpoints-per-slice must not be less than 1, but got 0'],
    [['--max-endpoints-per-slice=1001'], '--max-endpoints-per-slice must not be more than 1000, but got 1001'],
    [
      ['--attach-detach-reconcile-sync-period=10ms'],
      '--attach-detach-reconcile-sync-period must not be less than 1s, but got 10ms',
    ],
    [['--allocate-node-cidrs'], '--cluster-cidr: invalid CIDR address'],
    [['--allocate-node-cidrs', '--cluster-cidr=10.0.0.0/8,11.0.0.0/8'], 'not configured as dual stack'],
    [
      ['--allocate-node-cidrs', '--cluster-cidr=10.0.0.0/8', '--node-cidr-mask-size-ipv6=64'],
      'usage of --node-cidr-mask-size-ipv6 is not allowed for a single-stack IPv4 cluster',
    ],
    [
      ['--allocate-node-cidrs', '--cluster-cidr=10.0.0.0/8,fd00::/48', '--node-cidr-mask-size=24'],
      'usage of --node-cidr-mask-size is not allowed with dual-stack clusters',
    ],
    [
      ['--enable-leader-migration', '--leader-migration-config=/nowhere'],
      '--leader-migration-config: unable to read leader migration configuration from "/nowhere"',
    ],
    [['--secure-port=-1', '--kube-api-burst=0'], '[--kube-api-burst'],
  ])('%j is refused: %s', async (argv, message) => {
    await expect(complete(...argv)).rejects.toThrow(message);
  });

  test.each([
    ['--leader-elect=false', '--leader-elect-lease-duration=5s'],
    ['--kube-api-qps=-1', '--kube-api-burst=0'],
    ['--allocate-node-cidrs', '--cluster-cidr=10.0.0.0/8,fd00::/48', '--node-cidr-mask-size-ipv4=24'],
    ['--tls-cipher-suites=TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,TLS_RSA_WITH_RC4_128_SHA'],
    ['--cloud-provider=external'],
    ['--emulated-version=1.33', '--feature-gates=PodDeletionCost=false'],
  ])('%j %j is taken', async (...argv) => {
    await expect(complete(...argv)).resolves.toBeDefined();
  });

  test('aliases stand for their names', async () => {
    expect((await complete('--controllers=*,-replicaset,tokencleaner')).controllers).toEqual([
      '*',
      '-replicaset-controller',
      'token-cleaner-controller',
    ]);
  });
});

describe('printing', () => {
  test('--version', () => {
    expect(readCommandLine(['--version'], registry, pending, 80)).toEqual({
      kind: 'version',
      text: 'Kubernetes v1.36.2',
    });
    expect(readCommandLine(['--version=raw'], registry, pending, 80)).toMatchObject({
      text: expect.stringContaining('GitVersion:"v1.36.2"'),
    });
  });

  test('--help groups flags by section, shows types and defaults, and hides deprecated ones', () => {
    const request = readCommandLine(['-h', '--leader-elect'], registry, pending, 200);
    const { text } = request as { text: string };
    expect(text).toMatch(/^Debugging flags:$/m);
    expect(text).toMatch(/^ {6}--leader-elect-lease-duration duration +.*\(default 15s\)$/m);
    expect(text).toMatch(/^ {2}-v, --v Level /m);
    expect(text).toContain('kube:AllAlpha=true|false (ALPHA - default=false)');
    expect(text).not.toContain('--node-sync-period');
    expect(text.indexOf('Generic flags:')).toBeLessThan(text.indexOf('Secure serving flags:'));
    expect(text.split('\n').filter((line) => line.length > 200)).toEqual([]);
  });

  test('values print as Go prints them', () => {
    const texts = Object.fromEntries(
      flagTexts(read('--feature-gates=AllAlpha=true', '--tls-sni-cert-key=a,b:c', '--min-resync-period=90m')),
    );
    expect(texts).toMatchObject({
      'feature-gates': ':AllAlpha=true',
      'tls-sni-cert-key': '[a,b:c]',
      'min-resync-period': '1h30m0s',
      controllers: '[*]',
      'node-cidr-mask-size': '0',
    });
  });

  test('the configuration follows the flags', async () => {
    const config = componentConfig(
      await complete(
        '--controllers=replicaset',
        '--concurrent-replicaset-syncs=9',
        '--kube-api-qps=7.5',
        '--leader-elect-retry-period=1s',
      ),
    );
    expect(config).toMatchObject({
      Generic: {
        Controllers: ['replicaset-controller'],
        ClientConnection: { qps: 7.5, burst: 30 },
        LeaderElection: { retryPeriod: '1s' },
      },
      ReplicaSetController: { ConcurrentRSSyncs: 9 },
    });
  });
});

test('the sample of what others may define is refused when it takes a name twice', () => {
  expect(() => createRegistry([sample, sample])).toThrow(
    'controller name "replicaset-controller" was registered twice',
  );
  expect(() =>
    readCommandLine([], registry, { x: [{ name: 'profiling', type: 'bool', default: true, help: '' }] }, 80),
  ).toThrow('flag --profiling is defined twice');
});
