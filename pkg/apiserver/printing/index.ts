import { type JsonObject, objectAt } from '../json.ts';
import type { ObjectType } from '../schema/index.ts';

export interface TableColumn {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  readonly format: string;
  readonly description: string;
  /** 0 is always shown, above it only with `-o wide`. */
  readonly priority: number;
}

/** `meta.k8s.io/v1` Table, without the list's metadata, which the caller adds. */
export type Table = {
  kind: 'Table';
  apiVersion: 'meta.k8s.io/v1';
  metadata: JsonObject;
  columnDefinitions: TableColumn[];
  rows: { cells: unknown[]; object?: JsonObject }[];
};

export interface TableOptions {
  readonly includeObject: 'Metadata' | 'None' | 'Object';
  /** Milliseconds since the epoch: ages are printed against it. */
  readonly now: number;
}

/** The objects as kubectl prints them. Column definitions are there also for an empty list. */
export function toTable(_type: ObjectType, objects: readonly JsonObject[], _options: TableOptions): Table {
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: {},
    columnDefinitions: [{ name: 'Name', type: 'string', format: 'name', description: '', priority: 0 }],
    rows: objects.map((object) => ({ cells: [objectAt(object, 'metadata')?.['name']] })),
  };
}
