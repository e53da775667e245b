import type { Metrics } from '#pkg/metrics';

export interface ElectionMetrics {
  leading(yes: boolean): void;
  slowPath(): void;
}

/** The `leader_election_*` families (component-base/metrics/prometheus/clientgo/leaderelection). */
export function electionMetrics(metrics: Metrics | undefined, name: string): ElectionMetrics {
  const common = { stability: 'ALPHA', labels: ['name'] } as const;
  const status = metrics?.gauge({
    ...common,
    name: 'leader_election_master_status',
    help: 'Whether this process holds the lease of that name: 1 if it leads, 0 if it stands by. Group by name.',
  });
  const slowPath = metrics?.counter({
    ...common,
    name: 'leader_election_slowpath_total',
    help: 'How often the lease of that name was renewed only after reading it first. Group by name.',
  });
  return {
    leading: (yes) => status?.set({ name }, yes ? 1 : 0),
    slowPath: () => slowPath?.inc({ name }),
  };
}
