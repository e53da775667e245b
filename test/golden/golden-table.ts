import { readFileSync } from 'node:fs';

/** Rows of a table of facts about Kubernetes 1.36 by its column names. */
export function goldenTable(file: string): Record<string, string>[] {
  const [head, ...rows] = readFileSync(`${import.meta.dirname}/${file}`, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t'));
  return rows.map((row) => Object.fromEntries(head!.map((column, index) => [column, row[index] ?? ''])));
}
