import { describe, expect, it } from 'vitest';
import { answers } from '../../../test/golden/apiserver/answers.ts';
import type { JsonObject } from '../json.ts';
import { type TableColumn, humanDuration, toTable } from './index.ts';

interface RecordedTable {
  columnDefinitions: TableColumn[];
  rows: { cells: unknown[]; object: JsonObject & { apiVersion: string; kind: string } }[];
}

/** Cells that tell the time that has passed. */
const PASSING = /^(Age|Last Seen|First Seen|Duration|Last Schedule|Created At)$/;

const recorded = Object.entries(answers).filter(([name]) => name.startsWith('table '));

describe('tables, against a real API server', () => {
  it.each(recorded)('%s', (_, steps) => {
    const table = steps.at(-1)!.body as RecordedTable;
    const [{ object, cells }] = table.rows as [RecordedTable['rows'][number]];
    const [group, version] = object.apiVersion.includes('/')
      ? (object.apiVersion.split('/') as [string, string])
      : ['', object.apiVersion];
    const printed = toTable({ group, version, kind: object.kind }, [object], { includeObject: 'None', now: 0 });

    const shape = ({ name, type, format, priority }: TableColumn): unknown => ({ name, type, format, priority });
    expect(printed.columnDefinitions.map(shape)).toEqual(table.columnDefinitions.map(shape));
    const lasting = (row: readonly unknown[]): unknown[] =>
      row.filter((__, index) => !PASSING.test(table.columnDefinitions[index]!.name));
    expect(lasting(printed.rows[0]!.cells)).toEqual(lasting(cells));
  });

  it('covers the kinds that people list', () => {
    expect(recorded.length).toBeGreaterThan(35);
  });
});

describe('toTable', () => {
  const type = { group: 'apps', version: 'v1', kind: 'Deployment' };
  const object = { metadata: { name: 'd', creationTimestamp: '2026-01-01T00:00:00Z' }, spec: { replicas: 2 } };
  const now = Date.parse('2026-01-01T00:03:05Z');

  it('prints ages and carries what was asked for', () => {
    const [row] = toTable(type, [object], { includeObject: 'Metadata', now }).rows;
    expect(row?.cells.slice(0, 5)).toEqual(['d', '0/2', 0, 0, '3m5s']);
    expect(row?.object).toEqual({
      kind: 'PartialObjectMetadata',
      apiVersion: 'meta.k8s.io/v1',
      metadata: object.metadata,
    });
    expect(toTable(type, [object], { includeObject: 'Object', now }).rows[0]?.object).toBe(object);
    expect(toTable(type, [], { includeObject: 'None', now }).columnDefinitions).toHaveLength(8);
  });

  it.each([
    [-2000, '<invalid>'],
    [-1000, '0s'],
    [0, '0s'],
    [119_000, '119s'],
    [120_000, '2m'],
    [125_000, '2m5s'],
    [600_000, '10m'],
    [179 * 60_000, '179m'],
    [3 * 3_600_000, '3h'],
    [3.5 * 3_600_000, '3h30m'],
    [47 * 3_600_000, '47h'],
    [50 * 3_600_000, '2d2h'],
    [9 * 86_400_000, '9d'],
    [750 * 86_400_000, '2y20d'],
    [9 * 365 * 86_400_000, '9y'],
  ])('%d ms is %s', (milliseconds, expected) => {
    expect(humanDuration(milliseconds)).toBe(expected);
  });
});
