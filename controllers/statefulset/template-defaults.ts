import { ownValue } from '#pkg/base';
import type { PodTemplateSpec } from '#pkg/api';

type Json = { readonly [key: string]: unknown };
type Defaults = { readonly [key: string]: unknown };

/**
 * `template` with what the API server fills in for templates of Pods (`pkg/apis/core/v1/defaults.go`, whose comment
 * promises that no more will come). Enough to see whether a revision stored long ago means what a set says today.
 */
export function withTemplateDefaults(template: PodTemplateSpec): PodTemplateSpec {
  const spec = filled(template.spec, POD);
  return {
    ...template,
    metadata: template.metadata ?? {},
    spec: {
      ...spec,
      ...each(spec, 'containers', containerDefaults),
      ...each(spec, 'initContainers', containerDefaults),
      ...each(spec, 'volumes', volumeDefaults),
    } as unknown as NonNullable<PodTemplateSpec['spec']>,
  };
}

const POD = {
  dnsPolicy: 'ClusterFirst',
  restartPolicy: 'Always',
  schedulerName: 'default-scheduler',
  securityContext: {},
  terminationGracePeriodSeconds: 30,
};
const PROBE = { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 };
const HTTP_GET = { path: '/', scheme: 'HTTP' };
const FILES = { defaultMode: 0o644 };
const FIELD = { apiVersion: 'v1' };

function containerDefaults(container: Json): Json {
  const all = filled(container, {
    imagePullPolicy: pullPolicyOf(container['image']),
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    resources: {},
  });
  return {
    ...all,
    ...inside(all, 'livenessProbe', probeDefaults),
    ...inside(all, 'readinessProbe', probeDefaults),
    ...inside(all, 'startupProbe', probeDefaults),
    ...inside(all, 'lifecycle', (lifecycle) => ({
      ...lifecycle,
      ...inside(lifecycle, 'postStart', getDefaults),
      ...inside(lifecycle, 'preStop', getDefaults),
    })),
    ...each(all, 'env', (variable) => ({ ...variable, ...inside(variable, 'valueFrom', fieldDefaults) })),
    ...each(all, 'ports', (port) => filled(port, { protocol: 'TCP' })),
  };
}

/** The latest is always pulled. */
function pullPolicyOf(image: unknown): string {
  if (typeof image !== 'string' || image.includes('@')) return 'IfNotPresent';
  const tag = /:([^/:]+)$/.exec(image)?.[1];
  return tag === undefined || tag === 'latest' ? 'Always' : 'IfNotPresent';
}

const getDefaults = (handler: Json): Json => ({
  ...handler,
  ...inside(handler, 'httpGet', (get) => filled(get, HTTP_GET)),
});
const grpcDefaults = (probe: Json): Json => ({
  ...probe,
  ...inside(probe, 'grpc', (grpc) => filled(grpc, { service: '' })),
});
const probeDefaults = (probe: Json): Json => grpcDefaults(getDefaults(filled(probe, PROBE)));
const fieldDefaults = (source: Json): Json => ({
  ...source,
  ...inside(source, 'fieldRef', (field) => filled(field, FIELD)),
});
const downwardDefaults = (source: Json): Json => ({ ...source, ...each(source, 'items', fieldDefaults) });

function volumeDefaults(volume: Json): Json {
  if (Object.keys(volume).every((key) => key === 'name')) return { ...volume, emptyDir: {} };
  return {
    ...volume,
    ...inside(volume, 'secret', (source) => filled(source, FILES)),
    ...inside(volume, 'configMap', (source) => filled(source, FILES)),
    ...inside(volume, 'downwardAPI', (source) => downwardDefaults(filled(source, FILES))),
    ...inside(volume, 'hostPath', (source) => filled(source, { type: '' })),
    ...inside(volume, 'image', (source) => filled(source, { pullPolicy: pullPolicyOf(source['reference']) })),
    ...inside(volume, 'projected', (source) => ({
      ...filled(source, FILES),
      ...each(source, 'sources', projectionDefaults),
    })),
    ...inside(volume, 'ephemeral', (source) => ({
      ...source,
      ...inside(source, 'volumeClaimTemplate', (template) => ({
        ...filled(template, { metadata: {} }),
        ...inside(template, 'spec', (spec) => filled(spec, { volumeMode: 'Filesystem' })),
      })),
    })),
  };
}

function projectionDefaults(projection: Json): Json {
  return {
    ...projection,
    ...inside(projection, 'serviceAccountToken', (token) => filled(token, { expirationSeconds: 3600 })),
    ...inside(projection, 'downwardAPI', downwardDefaults),
  };
}

function filled(object: Json | undefined, defaults: Defaults): Json {
  const missing = Object.entries(defaults).filter(
    ([key]) => ownValue(object, key) === undefined || ownValue(object, key) === null,
  );
  return { ...object, ...Object.fromEntries(missing) };
}

/** The member changed, as an object to spread; nothing where it is missing. */
function inside(object: Json, key: string, change: (member: Json) => Json): Json {
  const member = ownValue(object, key);
  return typeof member === 'object' && member !== null ? { [key]: change(member as Json) } : {};
}

function each(object: Json, key: string, change: (item: Json) => Json): Json {
  const list = ownValue(object, key);
  return Array.isArray(list) ? { [key]: (list as readonly Json[]).map(change) } : {};
}
