import type { KubeObject } from '#pkg/api';

/** Field names below a field; an empty one keeps everything below. */
interface Fields {
  [name: string]: Fields;
}

/**
 * A transform that keeps kind, metadata and the fields at `paths`, each with all that is below it; a path through a list
 * is followed in each of its elements.
 *
 *     const transform = keepFields<Pod>('spec.nodeName', 'spec.containers.resources', 'status.phase', 'status.conditions');
 *
 * The rest is `undefined` to every reader, against what the type says, so keep what the readers read. Never send such an
 * object back as an update, which would delete what it lacks; patch instead.
 */
export function keepFields<T extends KubeObject>(...paths: readonly string[]): (object: T) => T {
  const root: Fields = {};
  for (const path of ['apiVersion', 'kind', 'metadata', ...paths]) {
    let at = root;
    for (const name of path.split('.')) at = at[name] ??= {};
  }
  return (object) => pick(object, root) as T;
}

function pick(value: unknown, fields: Fields): unknown {
  if (typeof value !== 'object' || value === null || isEmpty(fields)) return value;
  if (Array.isArray(value)) return value.map((element) => pick(element, fields));
  const from = value as Readonly<Record<string, unknown>>;
  const picked: Record<string, unknown> = {};
  for (const name in fields) if (from[name] !== undefined) picked[name] = pick(from[name], fields[name]!);
  return picked;
}

function isEmpty(fields: Fields): boolean {
  for (const _ in fields) return false;
  return true;
}
