export type Body = Record<string, unknown>;

/** The path of a collection. */
export function pathOf(apiVersion: string, resource: string, namespace?: string): string {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  return namespace === undefined ? `${root}/${resource}` : `${root}/namespaces/${namespace}/${resource}`;
}

export const podSpec = { containers: [{ name: 'c', image: 'nginx:1.27' }] };

export function template(spec: Body = podSpec, labels: Body = { app: 'web' }): Body {
  return { metadata: { labels }, spec };
}

export function workload(kind: string, name: string, spec: Body = {}): Body {
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name },
    spec: { selector: { matchLabels: { app: 'web' } }, template: template(), ...spec },
  };
}

export function deployment(name: string, spec: Body = {}): Body {
  return workload('Deployment', name, spec);
}

export function pod(name: string, spec: Body = podSpec, metadata: Body = {}): Body {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, ...metadata }, spec };
}

export function job(name: string, spec: Body = {}): Body {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name },
    spec: { template: template({ ...podSpec, restartPolicy: 'Never' }), ...spec },
  };
}

export function cronJob(name: string, spec: Body = {}): Body {
  return {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name },
    spec: {
      schedule: '* * * * *',
      jobTemplate: { spec: { template: template({ ...podSpec, restartPolicy: 'Never' }) } },
      ...spec,
    },
  };
}

export function service(name: string, spec: Body = { ports: [{ port: 80 }], selector: { app: 'web' } }): Body {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec };
}

export function claim(name: string, spec: Body = {}): Body {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
  };
}
