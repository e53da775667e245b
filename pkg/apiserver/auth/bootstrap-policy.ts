import { type JsonObject } from '../json.ts';
import policy from './bootstrap-policy.json' with { type: 'json' };

const GROUP = 'rbac.authorization.k8s.io';

interface Row {
  kind: string;
  name: string;
  namespace?: string;
  labels?: Record<string, string>;
  rules?: unknown[];
  aggregationRule?: unknown;
  roleRef?: { kind: string; name: string };
  subjects?: { kind: string; name: string; namespace?: string }[];
}

/** The roles and bindings that every cluster starts with, ready to be stored (`plugin/pkg/auth/authorizer/rbac/bootstrappolicy`). */
export function bootstrapPolicy(): JsonObject[] {
  return (policy as Row[]).map((row) => ({
    kind: row.kind,
    apiVersion: `${GROUP}/v1`,
    metadata: {
      name: row.name,
      ...(row.namespace === undefined ? {} : { namespace: row.namespace }),
      annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'true' },
      labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults', ...row.labels },
    },
    ...(row.aggregationRule === undefined ? {} : { aggregationRule: row.aggregationRule }),
    ...(row.kind.endsWith('Role')
      ? { rules: row.rules ?? null }
      : { roleRef: { apiGroup: GROUP, ...row.roleRef }, subjects: row.subjects?.map(withGroup) }),
  }));
}

function withGroup(subject: { kind: string; name: string; namespace?: string }): JsonObject {
  return subject.kind === 'ServiceAccount' ? { ...subject } : { ...subject, apiGroup: GROUP };
}
