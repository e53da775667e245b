import type { Metrics } from '#pkg/metrics';

/** The `rest_client_*` families of connections and credentials (component-base/metrics/prometheus/restclient). */
export interface TransportMetrics {
  created(): void;
  closed(): void;
  resolved(host: string, seconds: number): void;
  pluginAllowed(): void;
  pluginCalled(
    code: number,
    status: 'no_error' | 'plugin_execution_error' | 'plugin_not_found_error' | 'client_internal_error',
  ): void;
  /** Milliseconds since the epoch; undefined where the plugin gave no certificate. */
  pluginCertificateExpires(time: number | undefined): void;
  certificateReplaced(ageSeconds: number): void;
}

const nothing = (): void => {};
export const noTransportMetrics: TransportMetrics = {
  created: nothing,
  closed: nothing,
  resolved: nothing,
  pluginAllowed: nothing,
  pluginCalled: nothing,
  pluginCertificateExpires: nothing,
  certificateReplaced: nothing,
};

export function transportMetrics(metrics: Metrics, now: () => number): TransportMetrics {
  const dns = metrics.histogram({
    name: 'rest_client_dns_resolution_duration_seconds',
    help: 'DNS resolver latency, by host.',
    stability: 'ALPHA',
    labels: ['host'],
    buckets: [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30],
  });
  const calls = metrics.counter({
    name: 'rest_client_exec_plugin_call_total',
    help: 'Calls to an exec plugin, by what came of it and exit code.',
    stability: 'ALPHA',
    labels: ['code', 'call_status'],
  });
  // Upstream declares two labels but means one of them; both are kept, since dashboards see the names.
  const policy = metrics.counter({
    name: 'rest_client_exec_plugin_policy_call_total',
    help: 'Comparisons of an exec plugin to the plugin policy, by verdict.',
    stability: 'ALPHA',
    labels: ['allowed', 'denied'],
  });
  const age = metrics.histogram({
    name: 'rest_client_exec_plugin_certificate_rotation_age',
    help: 'Age of exec plugin certificates when they were replaced, in seconds.',
    stability: 'ALPHA',
    buckets: [600, 1800, 3600, 14400, 86400, 604800, 2592000, 7776000, 15552000, 31104000, 124416000],
  });
  const entries = metrics.gauge({
    name: 'rest_client_transport_cache_entries',
    help: 'Transports in use.',
    stability: 'ALPHA',
  });
  const creations = metrics.counter({
    name: 'rest_client_transport_create_calls_total',
    help: 'Transports asked for, by how they were come by.',
    stability: 'ALPHA',
    labels: ['result'],
  });
  const ttl = metrics.gauge({
    name: 'rest_client_exec_plugin_ttl_seconds',
    help: 'Seconds until the exec plugin certificate expires; +Inf where there is none.',
    stability: 'ALPHA',
  });
  let expires: number | undefined;
  const setTtl = (): void => ttl.set(expires === undefined ? Number.POSITIVE_INFINITY : (expires - now()) / 1000);
  // Called by prom-client before each exposition, so that the figure falls as time goes by.
  Object.assign(ttl, { collect: setTtl });

  return {
    created() {
      creations.inc({ result: 'miss' });
      entries.inc();
    },
    closed: () => entries.dec(),
    resolved: (host, seconds) => dns.observe({ host }, seconds),
    pluginAllowed: () => policy.inc({ allowed: 'allowed', denied: '' }),
    pluginCalled: (code, status) => calls.inc({ code: String(code), call_status: status }),
    pluginCertificateExpires: (time) => (expires = time),
    certificateReplaced: (seconds) => age.observe(seconds),
  };
}
