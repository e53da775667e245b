import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { dump } from 'js-yaml';

import { type ControllerDescription, type PolicyRule, identityOf } from '#pkg/controller';

import { controllerDefinitions } from '../controllers/registry.ts';

const NAME = 'kube-controller-manager-ts';
const NAMESPACE = 'kube-system';
export const RBAC_FILE = join(import.meta.dirname, 'manifests/rbac.yaml');

/**
 * What the manager itself may do: with `--use-service-account-credentials` each controller writes as its own service
 * account, whose role every cluster has (`system:controller:<name>`), and the manager only reads for all of them.
 */
export function manifests(definitions: readonly ControllerDescription[]): object[] {
  const accounts = definitions.map((definition) => identityOf(definition).serviceAccount).toSorted();
  return [
    role('ClusterRole', [
      ...readRules(definitions),
      { apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] },
      { apiGroups: ['authorization.k8s.io'], resources: ['subjectaccessreviews'], verbs: ['create'] },
    ]),
    binding('ClusterRole', NAME, NAME),
    role('Role', [
      { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create'] },
      {
        apiGroups: ['coordination.k8s.io'],
        resources: ['leases'],
        resourceNames: [NAME],
        verbs: ['get', 'list', 'update', 'watch'],
      },
      // Whether the cluster's own manager is at work.
      {
        apiGroups: ['coordination.k8s.io'],
        resources: ['leases'],
        resourceNames: ['kube-controller-manager'],
        verbs: ['get'],
      },
      { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch', 'update'] },
      { apiGroups: [''], resources: ['serviceaccounts'], verbs: ['create'] },
      { apiGroups: [''], resources: ['serviceaccounts'], resourceNames: accounts, verbs: ['get'] },
      { apiGroups: [''], resources: ['serviceaccounts/token'], resourceNames: accounts, verbs: ['create'] },
    ]),
    binding('Role', NAME, NAME),
    binding('Role', 'extension-apiserver-authentication-reader', `${NAME}-authentication-reader`),
  ];
}

/** List and watch for the shared caches, one rule a group, of exactly what some controller reads. */
function readRules(definitions: readonly ControllerDescription[]): PolicyRule[] {
  const groups = new Map<string, Set<string>>();
  for (const rule of definitions.flatMap(({ rbac }) => rbac)) {
    if (!rule.verbs.includes('list') || !rule.verbs.includes('watch')) continue;
    for (const group of rule.apiGroups ?? []) {
      // Declared because upstream's roles have it; nothing has been served there for years.
      if (group === 'extensions') continue;
      const resources = groups.get(group) ?? new Set();
      for (const resource of rule.resources ?? []) resources.add(resource);
      groups.set(group, resources);
    }
  }
  return [...groups].map(([group, resources]) => ({
    apiGroups: [group],
    resources: [...resources].toSorted(),
    verbs: ['list', 'watch'],
  }));
}

function role(kind: 'ClusterRole' | 'Role', rules: readonly PolicyRule[]): object {
  return { apiVersion: 'rbac.authorization.k8s.io/v1', kind, metadata: metadata(kind, NAME), rules };
}

function binding(kind: 'ClusterRole' | 'Role', roleName: string, name: string): object {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: `${kind}Binding`,
    metadata: metadata(kind, name),
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name: roleName },
    subjects: [{ kind: 'ServiceAccount', name: NAME, namespace: NAMESPACE }],
  };
}

function metadata(kind: 'ClusterRole' | 'Role', name: string): object {
  return kind === 'Role' ? { name, namespace: NAMESPACE } : { name };
}

export function render(definitions: readonly ControllerDescription[]): string {
  const head = '# Generated from what the controllers declare: node deploy/rbac.ts\n';
  return (
    head +
    manifests(definitions)
      .map((object) => dump(object, { noRefs: true, lineWidth: 120 }))
      .join('---\n')
  );
}

/** The file as it stands. */
export function written(): string {
  return readFileSync(RBAC_FILE, 'utf8');
}

if (import.meta.main) writeFileSync(RBAC_FILE, render(controllerDefinitions));
