import type { KubeObject } from '#pkg/api';
import type { FieldTree } from '#pkg/client';

interface Fields extends FieldTree {
  [name: string]: Fields;
}

const treesOfTransforms = new WeakMap<object, FieldTree>();

/** What `keepFields` was told to keep, where it made `transform`: then the client can leave out the rest unparsed. */
export function fieldsKeptBy(transform: object | undefined): FieldTree | undefined {
  return transform && treesOfTransforms.get(transform);
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
  const transform = (object: T): T => pick(object, root) as T;
  treesOfTransforms.set(transform, root);
  return transform;
}

/** `value` itself where there is nothing to leave out. */
function pick(value: unknown, fields: Fields): unknown {
  if (typeof value !== 'object' || value === null || isEmpty(fields)) return value;
  if (Array.isArray(value)) return pickInElements(value, fields);
  const from = value as Readonly<Record<string, unknown>>;
  let whole = true;
  const picked: Record<string, unknown> = {};
  for (const name in from) {
    if (!Object.hasOwn(fields, name) || from[name] === undefined) {
      whole = false;
    } else {
      picked[name] = pick(from[name], fields[name]!);
      whole &&= picked[name] === from[name];
    }
  }
  return whole ? value : picked;
}

function pickInElements(value: readonly unknown[], fields: Fields): readonly unknown[] {
  const picked = value.map((element) => pick(element, fields));
  return picked.every((element, i) => element === value[i]) ? value : picked;
}

function isEmpty(fields: Fields): boolean {
  for (const _ in fields) return false;
  return true;
}
