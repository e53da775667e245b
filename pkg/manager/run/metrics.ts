import { yamlProblem } from '#pkg/base';
import { readFileSync } from 'node:fs';

import { formatVersion } from '#pkg/featuregates';
import { type LabelRules, Metrics, type Stability } from '#pkg/metrics';

import { ManagerError } from '../errors.ts';
import type { Options } from '../options/options.ts';
import { METRIC_LABEL } from '../options/validate.ts';

/** An empty set of metrics, under the policy that the flags ask for. Throws `BadFile` for a manifest that is no good. */
export async function createMetrics(options: Options): Promise<Metrics> {
  const { flags } = options;
  const labels = { ...(await labelManifest(flags['allow-metric-labels-manifest'])), ...flags['allow-metric-labels'] };
  return new Metrics({
    disabled: new Set(flags['disabled-metrics'].filter((name) => name !== '')),
    labelRules: labelRules(labels),
  });
}

/** What the metrics say of versions, gates and themselves; to be called before anybody can ask for them. */
export function describeProcess(metrics: Metrics, options: Options): void {
  versionMetrics(metrics, options);
  gateMetrics(metrics, options);
  registryMetrics(metrics, options.flags['disabled-metrics'].length);
}

/** `"metric,label": "v1,v2"` as YAML, alone or under `allowListMapping`. */
async function labelManifest(path: string): Promise<Readonly<Record<string, string>>> {
  if (path === '') return {};
  const fail = (message: string, cause?: unknown): ManagerError =>
    new ManagerError('BadFile', `--allow-metric-labels-manifest: "${path}": ${message}`, { path }, { cause });
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw fail('failed to read allow list manifest', error);
  }
  const { load } = await import('js-yaml');
  let document: unknown;
  try {
    document = load(text);
  } catch (error) {
    throw fail(`failed to parse allow list manifest: ${yamlProblem(error)}`);
  }
  const { allowListMapping = document } = (document ?? {}) as { allowListMapping?: unknown };
  const entries = Object.entries((allowListMapping ?? {}) as Record<string, unknown>);
  const wrong = entries.find(([key]) => !METRIC_LABEL.test(key));
  if (wrong) throw fail(`must have keys with format \`metricName,labelName\`, got "${wrong[0]}"`);
  return Object.fromEntries(entries.map(([key, value]) => [key, String(value)]));
}

function labelRules(mapping: Readonly<Record<string, string>>): Map<string, LabelRules> {
  const rules = new Map<string, Map<string, ReadonlySet<string>>>();
  for (const [key, values] of Object.entries(mapping)) {
    const [metric, label] = key.split(',') as [string, string];
    const ofMetric = rules.get(metric) ?? new Map<string, ReadonlySet<string>>();
    rules.set(metric, ofMetric.set(label, new Set(values.split(','))));
  }
  return rules;
}

function versionMetrics(metrics: Metrics, { version, reportedVersion }: Options): void {
  const { binary, emulated, minCompatibility } = version;
  metrics
    .gauge({
      name: 'version_info',
      help: 'Versions a component is, behaves as, and gets along with; always 1.',
      stability: 'ALPHA',
      labels: ['binary', 'component', 'emulation', 'min_compat'],
    })
    .set(
      {
        binary: formatVersion(binary),
        component: 'kube',
        emulation: formatVersion(emulated),
        min_compat: formatVersion(minCompatibility),
      },
      1,
    );
  const labels = [
    'build_date',
    'compiler',
    'git_commit',
    'git_tree_state',
    'git_version',
    'go_version',
    'major',
    'minor',
    'platform',
  ] as const;
  metrics
    .gauge({
      name: 'kubernetes_build_info',
      help: 'What was built, from what and for what; always 1.',
      stability: 'BETA',
      labels,
    })
    .set(
      {
        build_date: '',
        compiler: 'v8',
        git_commit: '',
        git_tree_state: '',
        git_version: reportedVersion,
        go_version: `node-${process.version}`,
        major: String(binary.major),
        minor: String(binary.minor),
        platform: `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`,
      },
      1,
    );
}

function gateMetrics(metrics: Metrics, { gates }: Options): void {
  const gauge = metrics.gauge({
    name: 'kubernetes_feature_enabled',
    help: 'Whether a feature gate is enabled.',
    stability: 'BETA',
    labels: ['name', 'stage'],
  });
  for (const { name, stage, enabled } of gates.all())
    gauge.set({ name, stage: stage === 'ga' ? '' : stage.toUpperCase() }, enabled ? 1 : 0);
}

function registryMetrics(metrics: Metrics, disabled: number): void {
  metrics
    .counter({ name: 'disabled_metrics_total', help: 'Metrics left out by flag.', stability: 'BETA' })
    .inc(disabled);
  metrics
    .counter({ name: 'hidden_metrics_total', help: 'Metrics hidden since they are deprecated.', stability: 'BETA' })
    .inc(0);
  const registered = metrics.gauge({
    name: 'registered_metrics_total',
    help: 'Metrics by stability.',
    stability: 'BETA',
    labels: ['deprecated_version', 'stability_level'],
  });
  const unexpected = metrics.gauge({
    name: 'cardinality_enforcement_unexpected_categorizations_total',
    help: 'Label values replaced since they are not among the allowed ones.',
    stability: 'ALPHA',
  });
  metrics.beforeExpose(() => {
    const counts = new Map<Stability, number>();
    for (const stability of metrics.stabilities()) counts.set(stability, (counts.get(stability) ?? 0) + 1);
    for (const [stability_level, count] of counts) registered.set({ deprecated_version: '', stability_level }, count);
    unexpected.set(metrics.unexpectedLabels);
  });
}
