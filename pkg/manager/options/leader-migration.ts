import { yamlProblem } from '#pkg/base';
import { readFileSync } from 'node:fs';

import { ManagerError, joinMessages } from '../errors.ts';

/** Which lease a controller belongs to (`LeaderMigrationConfiguration` of `k8s.io/controller-manager/config`). */
export interface LeaderMigration {
  readonly leaderName: string;
  readonly resourceLock: string;
  readonly controllerLeaders: readonly { readonly name: string; readonly component: string }[] | null;
}

export const NO_MIGRATION: LeaderMigration = { leaderName: '', resourceLock: '', controllerLeaders: null };

/** What counts without a file. */
const DEFAULT_MIGRATION: LeaderMigration = {
  leaderName: 'cloud-provider-extraction-migration',
  resourceLock: 'leases',
  controllerLeaders: ['route-controller', 'service-controller', 'cloud-node-lifecycle-controller'].map((name) => ({
    name,
    component: '*',
  })),
};

const FLAG = '--leader-migration-config';

/** Reads `--leader-migration-config`. Throws `BadFile` or `BadOptions`. */
export async function readLeaderMigration(enabled: boolean, path: string): Promise<LeaderMigration> {
  if (!enabled) return NO_MIGRATION;
  if (path === '') return DEFAULT_MIGRATION;
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new ManagerError(
      'BadFile',
      `${FLAG}: unable to read leader migration configuration from "${path}"`,
      { path },
      { cause: error },
    );
  }
  const { load } = await import('js-yaml');
  let document: unknown;
  try {
    document = load(text);
  } catch (error) {
    throw new ManagerError('BadFile', `${FLAG}: "${path}" is not YAML: ${yamlProblem(error)}`, { path });
  }
  return checked(document, path);
}

function checked(document: unknown, path: string): LeaderMigration {
  const given = (typeof document === 'object' && document !== null ? document : {}) as Record<string, unknown>;
  const problems: string[] = [];
  if (
    given['kind'] !== 'LeaderMigrationConfiguration' ||
    !String(given['apiVersion']).startsWith('controllermanager.config.k8s.io/')
  ) {
    problems.push('kind must be LeaderMigrationConfiguration of controllermanager.config.k8s.io');
  }
  const leaderName = typeof given['leaderName'] === 'string' ? given['leaderName'] : '';
  if (leaderName === '')
    problems.push('leaderName: Required value: leaderName must be set for LeaderMigrationConfiguration');
  const resourceLock = typeof given['resourceLock'] === 'string' ? given['resourceLock'] : 'leases';
  if (resourceLock !== 'leases')
    problems.push(`resourceLock: Invalid value: "${resourceLock}": resource Lock must be 'leases'`);
  const leaders = Array.isArray(given['controllerLeaders']) ? (given['controllerLeaders'] as unknown[]) : [];
  const controllerLeaders = leaders.map((leader, index) => {
    const { name, component } = (leader ?? {}) as { name?: unknown; component?: unknown };
    if (typeof component !== 'string' || component === '')
      problems.push(`controllerLeaders[${index}].component: Required value`);
    if (typeof name !== 'string' || name === '') problems.push(`controllerLeaders[${index}].name: Required value`);
    return { name: String(name), component: String(component) };
  });
  if (problems.length > 0)
    throw new ManagerError('BadOptions', `${FLAG}: "${path}": ${joinMessages(problems)}`, { path });
  return { leaderName, resourceLock, controllerLeaders };
}
