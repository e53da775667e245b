import { ownValue } from '#pkg/base';

/**
 * Objects as kubectl prints them: the Table that the server makes of a list (`pkg/printers/internalversion/printers.go`). Kinds
 * without a printer of their own show their name and when they were created.
 */
import { type JsonObject, objectAt } from '../json.ts';
import type { ObjectType } from '../schema/index.ts';
import { clusterPrinters } from './cluster.ts';
import { corePrinters } from './core.ts';
import { since, text } from './format.ts';
import type { Printer, Printers } from './types.ts';
import { workloadPrinters } from './workloads.ts';

export { humanDuration } from './format.ts';

export interface TableColumn {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  readonly format: string;
  readonly description: string;
  /** 0 is always shown, above it only with `-o wide`. */
  readonly priority: number;
}

export type TableRow = { cells: unknown[]; conditions?: JsonObject[]; object?: JsonObject };

/** `meta.k8s.io/v1` Table, without the list's metadata, which the caller adds. */
export type Table = {
  kind: 'Table';
  apiVersion: 'meta.k8s.io/v1';
  metadata: JsonObject;
  columnDefinitions: TableColumn[];
  rows: TableRow[];
};

export interface TableOptions {
  readonly includeObject: 'Metadata' | 'None' | 'Object';
  /** Milliseconds since the epoch: ages are printed against it. */
  readonly now: number;
}

const PRINTERS: Printers = {
  ...workloadPrinters,
  ...corePrinters,
  ...clusterPrinters,
  'events.k8s.io/Event': corePrinters['/Event']!,
};

const NAME: TableColumn = { name: 'Name', type: 'string', format: 'name', description: '', priority: 0 };
const CREATED: TableColumn = { name: 'Created At', type: 'date', format: '', description: '', priority: 0 };

/** The objects as kubectl prints them. Column definitions are there also for an empty list. */
export function toTable(type: ObjectType, objects: readonly JsonObject[], options: TableOptions): Table {
  const printer = ownValue(PRINTERS, `${type.group}/${type.kind}`);
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: {},
    columnDefinitions: printer === undefined ? [NAME, CREATED] : columnsOf(printer),
    rows: objects.map((object) => rowOf(printer, object, options)),
  };
}

function rowOf(printer: Printer | undefined, object: JsonObject, options: TableOptions): TableRow {
  const metadata = objectAt(object, 'metadata');
  const name = text(metadata, 'name');
  const created = metadata?.['creationTimestamp'];
  const row: TableRow = { cells: [] };
  if (printer === undefined) row.cells = [name, typeof created === 'string' ? created : '<unknown>'];
  else {
    const cells = printer.cells(object, since(created, options.now), options.now);
    row.cells = printer.columns.startsWith('!') ? cells : [printer.name?.(object, name) ?? name, ...cells];
    const conditions = printer.conditions?.(object);
    if (conditions !== undefined) row.conditions = conditions;
  }
  if (options.includeObject === 'Object') row.object = object;
  else if (options.includeObject === 'Metadata') {
    row.object = { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: metadata ?? {} };
  }
  return row;
}

const columns = new Map<Printer, TableColumn[]>();

function columnsOf(printer: Printer): TableColumn[] {
  let known = columns.get(printer);
  if (known === undefined) {
    const whole = printer.columns.startsWith('!');
    const parts = printer.columns.replace(/^!/, '').split('|');
    known = [...(whole ? [] : [NAME]), ...parts.map(columnOf)];
    columns.set(printer, known);
  }
  return known;
}

function columnOf(part: string): TableColumn {
  const [, wide, kind, name] = /^(\*?)([#?]?)(.*)$/.exec(part)!;
  return {
    name: name!,
    type: kind === '#' ? 'integer' : kind === '?' ? 'boolean' : 'string',
    format: name === 'Name' ? 'name' : '',
    description: '',
    priority: wide === '*' ? 1 : 0,
  };
}
