// By their files: the package's index also loads Node's cluster, https and zlib, for what is not used here.
import Counter from 'prom-client/lib/counter.js';
import Gauge from 'prom-client/lib/gauge.js';
import Registry from 'prom-client/lib/registry.js';

import { Histogram } from './histogram.ts';
import { type LabelRules, restrictLabels } from './label-rules.ts';

/** Stability as upstream prints it at the head of the help text: `[ALPHA] ...`. */
export type Stability = 'ALPHA' | 'BETA' | 'STABLE';

export interface MetricOptions<Label extends string> {
  readonly name: string;
  readonly help: string;
  readonly stability: Stability;
  readonly labels?: readonly Label[];
}

export interface HistogramOptions<Label extends string> extends MetricOptions<Label> {
  /** Upper bounds, ascending. */
  readonly buckets: readonly number[];
}

/** What operators ask for by flags; nothing by default. */
export interface MetricsPolicy {
  /** Full names of metrics to leave out (`--disabled-metrics`). */
  readonly disabled?: ReadonlySet<string>;
  /** Values that labels may have, by metric (`--allow-metric-labels`). */
  readonly labelRules?: ReadonlyMap<string, LabelRules>;
}

type Metric = Counter | Gauge | Histogram;

/**
 * A set of metrics with one exposition. Nothing is global: whoever measures is given one of these. Asking twice for a
 * name returns the same metric, so that two queues can share a family.
 */
export class Metrics {
  readonly registry = new Registry();
  readonly #policy: MetricsPolicy;
  /** By name, left out or not. */
  readonly #metrics = new Map<string, { readonly metric: Metric; readonly stability: Stability }>();
  readonly #beforeExpose: (() => void)[] = [];
  #unexpectedLabels = 0;

  constructor(policy: MetricsPolicy = {}) {
    this.#policy = policy;
  }

  counter<Label extends string = never>(options: MetricOptions<Label>): Counter<Label> {
    return this.#metric(options, (settings) => new Counter(settings));
  }

  gauge<Label extends string = never>(options: MetricOptions<Label>): Gauge<Label> {
    return this.#metric(options, (settings) => new Gauge(settings));
  }

  histogram<Label extends string = never>(options: HistogramOptions<Label>): Histogram<Label> {
    return this.#metric(options, ({ registers, ...settings }) => {
      const histogram = new Histogram<Label>({ ...settings, buckets: options.buckets });
      for (const registry of registers) registry.registerMetric(histogram.forRegistry());
      return histogram;
    });
  }

  /** Stability of every metric made so far, those left out included. */
  stabilities(): readonly Stability[] {
    return [...this.#metrics.values()].map(({ stability }) => stability);
  }

  /** How often a label value was replaced since none but some are allowed. */
  get unexpectedLabels(): number {
    return this.#unexpectedLabels;
  }

  /** Calls `update` before every exposition: for values that are cheaper computed when read than kept up to date. */
  beforeExpose(update: () => void): void {
    this.#beforeExpose.push(update);
  }

  /** Prometheus text exposition. */
  expose(): Promise<string> {
    for (const update of this.#beforeExpose) update();
    return this.registry.metrics();
  }

  #metric<Label extends string, M extends Metric>(
    options: MetricOptions<Label>,
    create: (settings: MetricSettings<Label>) => M,
  ): M {
    const { name, help, stability, labels = [] } = options;
    const known = this.#metrics.get(name);
    // Names are given once in the whole program, each to one kind of metric.
    if (known) return known.metric as M;
    const registers = this.#policy.disabled?.has(name) ? [] : [this.registry];
    const metric = create({ name, help: `[${stability}] ${help}`, labelNames: [...labels], registers });
    const rules = this.#policy.labelRules?.get(name);
    if (rules) restrictLabels(metric, labels, rules, () => this.#unexpectedLabels++);
    this.#metrics.set(name, { metric, stability });
    return metric;
  }
}

interface MetricSettings<Label extends string> {
  name: string;
  help: string;
  labelNames: Label[];
  registers: Registry[];
}
