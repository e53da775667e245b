import { ownValue } from '#pkg/base';
import type { Histogram as PromHistogram, MetricObjectWithValues, MetricValueWithName } from 'prom-client';

type LabelValues<Label extends string> = Partial<Record<Label, string | number>>;

/** One series: what was observed with one set of label values. */
export interface Observer {
  observe(value: number): void;
}

export interface HistogramSettings {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
  /** Upper bounds, ascending. */
  readonly buckets: readonly number[];
}

/**
 * A histogram for prom-client's registry at a tenth of the price of prom-client's own, which validates and hashes the
 * labels with every observation, also behind `labels()`. Requests, queues and informers observe several values a time.
 */
export class Histogram<Label extends string = string> {
  readonly name: string;
  readonly #settings: HistogramSettings;
  readonly #series = new Map<string, Series>();

  constructor(settings: HistogramSettings) {
    this.name = settings.name;
    this.#settings = settings;
    // Without labels there is one series, shown from the start.
    if (settings.labelNames.length === 0) this.#of({});
  }

  observe(value: number): void;
  observe(labels: LabelValues<Label>, value: number): void;
  observe(...args: [number] | [LabelValues<Label>, number]): void {
    if (args.length === 1) this.#of({}).observe(args[0]);
    else this.#of(args[0]).observe(args[1]);
  }

  /** The series of these label values, to be kept and observed many times. */
  labels(labels: LabelValues<Label>): Observer;
  labels(...values: string[]): Observer;
  labels(...args: [LabelValues<Label>] | string[]): Observer {
    const [first] = args;
    if (typeof first === 'object') return this.#of(first);
    const values = args as string[];
    return this.#of(
      Object.fromEntries(this.#settings.labelNames.map((label, at) => [label, values[at]])) as LabelValues<Label>,
    );
  }

  /** Shows the series before anything was observed. */
  zero(labels: LabelValues<Label>): void {
    this.#of(labels);
  }

  /** For the registry. */
  get(): Promise<MetricObjectWithValues<MetricValueWithName<string>>> {
    const { name, help } = this.#settings;
    const values = [...this.#series.values()].flatMap((series) => series.values(name));
    // prom-client's type for it is a const enum's, whose value for a histogram is its name in JSON all the same.
    return Promise.resolve({
      name,
      help,
      type: 'histogram',
      values,
      aggregator: 'sum',
    } as unknown as MetricObjectWithValues<MetricValueWithName<string>>);
  }

  /** This histogram as the type that the registry asks for; the registry calls nothing but `name` and `get`. */
  forRegistry(): PromHistogram {
    return this as unknown as PromHistogram;
  }

  #of(labels: LabelValues<Label>): Series {
    const { name, labelNames, buckets } = this.#settings;
    const key = labelNames.map((label) => String(ownValue(labels, label as Label) ?? '')).join('\0');
    let series = this.#series.get(key);
    if (series === undefined) {
      const unknown = Object.keys(labels).find((label) => !labelNames.includes(label));
      if (unknown !== undefined) throw new RangeError(`${name} has no label "${unknown}"`);
      series = new Series(inOrder(labels as Record<string, string | number>, labelNames), buckets);
      this.#series.set(key, series);
    }
    return series;
  }
}

/** Labels as they were declared, so that they are shown in one order whoever was first to observe. */
function inOrder(
  labels: Readonly<Record<string, string | number>>,
  names: readonly string[],
): Readonly<Record<string, string | number>> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = ownValue(labels, name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

class Series implements Observer {
  readonly #labels: Readonly<Record<string, string | number>>;
  readonly #bounds: readonly number[];
  /** By the first bound that holds a value; the last is for what is beyond all. */
  readonly #counts: Float64Array;
  #sum = 0;

  constructor(labels: Readonly<Record<string, string | number>>, bounds: readonly number[]) {
    this.#labels = labels;
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    if (!Number.isFinite(value)) throw new TypeError(`not a value to observe: ${value}`);
    const bounds = this.#bounds;
    let at = 0;
    while (at < bounds.length && value > bounds[at]!) at++;
    this.#counts[at]!++;
    this.#sum += value;
  }

  /** Each bucket with all before it, then sum and count. */
  values(name: string): MetricValueWithName<string>[] {
    const labels = this.#labels;
    let count = 0;
    const buckets = Array.from(this.#counts, (inside, at) => {
      count += inside;
      return { labels: { le: this.#bounds[at] ?? '+Inf', ...labels }, value: count, metricName: `${name}_bucket` };
    });
    return [
      ...buckets,
      { labels, value: this.#sum, metricName: `${name}_sum` },
      { labels, value: count, metricName: `${name}_count` },
    ];
  }
}
