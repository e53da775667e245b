import { Metrics } from '#pkg/metrics';

/** The metrics of `/metrics/slis` (`component-base/metrics/prometheus/slis`), apart from all others and resettable. */
export class HealthMetrics {
  readonly #metrics = new Metrics();
  readonly #last = this.#metrics.gauge({
    name: 'kubernetes_healthcheck',
    help: 'Result of the last run of a health check: 1 where it was well.',
    stability: 'STABLE',
    labels: ['name', 'type'],
  });
  readonly #total = this.#metrics.counter({
    name: 'kubernetes_healthchecks_total',
    help: 'Runs of health checks by their results.',
    stability: 'STABLE',
    labels: ['name', 'type', 'status'],
  });

  observe(name: string, type: string, healthy: boolean): void {
    this.#last.set({ name, type }, healthy ? 1 : 0);
    this.#total.inc({ name, type, status: healthy ? 'success' : 'error' });
  }

  expose(): Promise<string> {
    return this.#metrics.expose();
  }

  reset(): void {
    this.#last.reset();
    this.#total.reset();
  }
}
