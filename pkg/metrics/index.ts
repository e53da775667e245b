/**
 * A thin face over prom-client: metrics with upstream's names, buckets and stability marks, and no global registry.
 */
export type { LabelRules } from './label-rules.ts';
export { type HistogramOptions, type MetricOptions, Metrics, type MetricsPolicy, type Stability } from './metrics.ts';
export type { Histogram, Observer } from './histogram.ts';
export type { Counter, Gauge } from 'prom-client';
