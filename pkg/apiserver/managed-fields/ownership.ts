import { ownValue } from '#pkg/base';
import { type ApiError, type Status } from '#pkg/api';
import type { JsonObject } from '../json.ts';
import { refusal } from '../refusals.ts';
import type { ObjectSchema } from '../schema/index.ts';
import { type Comparison, compare } from './compare.ts';
import { FieldSet, printPath } from './field-set.ts';
import { type Manager, type Managers, printManager } from './managers.ts';
import { shapeOfStruct } from './shapes.ts';

/** Fields that nobody manages (`stripmeta.go`). */
const UNMANAGED = FieldSet.of(
  ['f:apiVersion'],
  ['f:kind'],
  ['f:metadata'],
  ...[
    'name',
    'namespace',
    'creationTimestamp',
    'selfLink',
    'uid',
    'clusterName',
    'generation',
    'managedFields',
    'resourceVersion',
  ].map((key) => ['f:metadata', `f:${key}`]),
);

export function managed(fields: FieldSet): FieldSet {
  return fields.difference(UNMANAGED);
}

const STATUS = FieldSet.of(['f:status']);
const SPEC = FieldSet.of(['f:spec']);
const STATUS_RESETS: Readonly<Record<string, FieldSet>> = {
  Deployment: FieldSet.of(['f:spec'], ['f:metadata', 'f:labels']),
  Pod: FieldSet.of(['f:spec'], ['f:metadata', 'f:deletionTimestamp'], ['f:metadata', 'f:ownerReferences']),
};

const CUSTOM_STATUS = FieldSet.of(['f:spec'], ['f:metadata']);

/** What a request to the resource, or to one of its subresources, cannot write: such fields are not owned by it. */
export function resetFields(schema: ObjectSchema, subresource: string | undefined): FieldSet {
  if (!(schema.custom?.hasStatus ?? schema.fields.has('status'))) return FieldSet.empty;
  if (schema.custom !== undefined && subresource === 'status') return CUSTOM_STATUS;
  if (subresource === 'status' || subresource === 'approval')
    return ownValue(STATUS_RESETS, schema.name.slice(schema.name.lastIndexOf('.') + 1)) ?? SPEC;
  return STATUS;
}

/** The change from one object to another, as far as the request can have made it. */
export function compareWithin(
  schema: ObjectSchema,
  before: JsonObject,
  after: JsonObject,
  resets: FieldSet,
): Comparison {
  // Whole parts that the request cannot write need not be looked at.
  const bare = (object: JsonObject): JsonObject =>
    Object.fromEntries(Object.entries(object).filter(([key]) => resets.children.get(`f:${key}`)?.member !== true));
  const change = compare(shapeOfStruct(schema), bare(before), bare(after));
  return {
    added: change.added.without(resets),
    modified: change.modified.without(resets),
    removed: change.removed.without(resets),
  };
}

interface Conflict {
  readonly manager: Manager;
  readonly path: readonly string[];
}

/** What a change takes from the managers other than the one who makes it. */
export function findConflicts(managers: Managers, self: string, change: Comparison): Conflict[] {
  const changed = change.modified.union(change.added);
  return Array.from(managers)
    .filter(([id]) => id !== self)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, manager]) => Array.from(manager.fields.intersection(changed).paths(), (path) => ({ manager, path })));
}

/** Takes changed and removed fields from the other managers; in place. */
export function takeOver(managers: Managers, self: string, change: Comparison): void {
  const changed = change.modified.union(change.added);
  for (const [id, manager] of managers) {
    const lost = id === self ? change.removed : change.removed.union(changed);
    const fields = id === self ? manager.fields : manager.fields.difference(lost);
    if (fields.isEmpty) managers.delete(id);
    else managers.set(id, { ...manager, fields });
  }
}

/** The 409 of a server-side apply (`managedfields/internal/conflict.go`). */
export function conflictError(conflicts: readonly Conflict[]): ApiError {
  const causes: NonNullable<NonNullable<Status['details']>['causes']> = conflicts.map(({ manager, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${printManager(manager)}`,
    field: printPath(path),
  }));
  return refusal(409, 'Conflict', messageOf(conflicts), { causes });
}

function messageOf(conflicts: readonly Conflict[]): string {
  const [first] = conflicts;
  if (conflicts.length === 1)
    return `Apply failed with 1 conflict: conflict with ${printManager(first!.manager)}: ${printPath(first!.path)}`;
  const lines: string[] = [];
  for (const [manager, own] of Map.groupBy(conflicts, (conflict) => conflict.manager)) {
    lines.push(`conflicts with ${printManager(manager)}:`, ...own.map(({ path }) => `- ${printPath(path)}`));
  }
  return `Apply failed with ${conflicts.length} conflicts: ${lines.join('\n')}`;
}

export type { Conflict };
