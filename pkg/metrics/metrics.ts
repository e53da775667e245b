import { Counter, Gauge, Histogram, Registry } from 'prom-client';

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

/**
 * A set of metrics with one exposition. Nothing is global: whoever measures is given one of these. Asking twice for a
 * name returns the same metric, so that two queues can share a family.
 */
export class Metrics {
  readonly registry = new Registry();
  readonly #beforeExpose: (() => void)[] = [];

  counter<Label extends string = never>(options: MetricOptions<Label>): Counter<Label> {
    const known = this.registry.getSingleMetric(options.name);
    if (known) return known as unknown as Counter<Label>;
    return new Counter({ ...common(options), registers: [this.registry] });
  }

  gauge<Label extends string = never>(options: MetricOptions<Label>): Gauge<Label> {
    const known = this.registry.getSingleMetric(options.name);
    if (known) return known as unknown as Gauge<Label>;
    return new Gauge({ ...common(options), registers: [this.registry] });
  }

  histogram<Label extends string = never>(options: HistogramOptions<Label>): Histogram<Label> {
    const known = this.registry.getSingleMetric(options.name);
    if (known) return known as unknown as Histogram<Label>;
    return new Histogram({ ...common(options), buckets: [...options.buckets], registers: [this.registry] });
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
}

function common<Label extends string>(options: MetricOptions<Label>): { name: string; help: string; labelNames: Label[] } {
  return { name: options.name, help: `[${options.stability}] ${options.help}`, labelNames: [...(options.labels ?? [])] };
}
