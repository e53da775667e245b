import { parseTime } from '#pkg/base';
import { type JsonObject, objectAt, stringAt } from '../json.ts';
import { humanDuration, type Table, type TableColumn, type TableOptions, type TableRow } from '../printing/index.ts';
import type { Column } from './definition.ts';
import { type JsonPath, compilePath } from './json-path.ts';

const NAME: TableColumn = { name: 'Name', type: 'string', format: 'name', description: '', priority: 0 };

interface Cell {
  readonly type: string;
  readonly path: JsonPath | undefined;
}

/** Prints objects in the columns of their definition (`customresource/tableconvertor`). */
export function tablePrinter(
  columns: readonly Column[],
): (objects: readonly JsonObject[], options: TableOptions) => Table {
  const definitions = [NAME, ...columns.map(columnOf)];
  const cells = columns.map(({ type, jsonPath }): Cell => ({ type, path: compilePath(jsonPath) }));
  return (objects, options) => ({
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: {},
    columnDefinitions: definitions,
    rows: objects.map((object) => rowOf(object, cells, options)),
  });
}

function columnOf({ name, type, format, description, priority, jsonPath }: Column): TableColumn {
  const said = description === '' ? `Custom resource definition column (in JSONPath format): ${jsonPath}` : description;
  return { name, type: type as TableColumn['type'], format, description: said, priority };
}

function rowOf(object: JsonObject, cells: readonly Cell[], options: TableOptions): TableRow {
  const metadata = objectAt(object, 'metadata') ?? {};
  const row: TableRow = {
    cells: [stringAt(metadata, 'name') ?? '', ...cells.map((cell) => cellOf(object, cell, options.now))],
  };
  if (options.includeObject === 'Object') row.object = object;
  else if (options.includeObject === 'Metadata')
    row.object = { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata };
  return row;
}

function cellOf(object: JsonObject, { type, path }: Cell, now: number): unknown {
  const value = path?.(object)[0];
  if (value === undefined || value === null) return null;
  switch (type) {
    case 'string':
      return typeof value === 'string' ? value : JSON.stringify(value);
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : null;
    case 'number':
      return typeof value === 'number' ? value : null;
    case 'boolean':
      return typeof value === 'boolean' ? value : null;
    case 'date': {
      if (typeof value !== 'string') return null;
      const time = parseTime(value);
      return Number.isNaN(time) ? '<invalid>' : humanDuration(now - time);
    }
    default:
      return null;
  }
}
