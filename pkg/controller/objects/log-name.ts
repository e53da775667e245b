import type { ResourceType } from '#pkg/api';

/** What logs call an object of this type, as upstream does: `replicaSet`. The same everywhere, to search by it. */
export function logName({ kind }: Pick<ResourceType, 'kind'>): string {
  return kind.charAt(0).toLowerCase() + kind.slice(1);
}
