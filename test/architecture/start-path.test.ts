import { describe, expect, test } from 'vitest';

import { type SourceFile, isTest, sourceFiles } from './source-files.ts';

/**
 * What a process loads before its first request: all that `main.ts` imports with an `import` statement. The rest is behind
 * an `import()`: each ms of CPU here is paid by every start, also of a process that never leads.
 */
const files = new Map(
  sourceFiles('cmd', 'controllers', 'pkg')
    .filter((file) => !isTest(file.path))
    .map((file) => [file.path, file]),
);

/** The files reached from `start`, within `folder`, each with the one that imports it. */
function reached(start: string, folder: string): ReadonlyMap<string, string> {
  const by = new Map<string, string>([[start, 'the start']]);
  for (const path of by.keys()) {
    for (const target of files.get(path)?.loads ?? [])
      if (target.startsWith(folder) && files.has(target) && !by.has(target)) by.set(target, path);
  }
  return by;
}

function described(wrong: ReadonlyMap<string, string> | readonly (readonly [string, string])[]): string[] {
  return [...wrong].map(([path, by]) => `${by} -> ${path}`);
}

describe('a start loads', () => {
  const LIGHT = /^controllers\/(?:registry|pending-flags|[^/]+\/controller|internal\/[^/]+\/reads)\.ts$/;

  test('of controllers their descriptions, and no code', () => {
    const controllers = reached('controllers/registry.ts', 'controllers/');
    expect(controllers.size).toBeGreaterThan(7);
    expect(described([...controllers].filter(([path]) => !LIGHT.test(path)))).toEqual([]);
  });

  test('with a description only what a description is made of', () => {
    const wrong = [...reached('controllers/registry.ts', 'controllers/').keys()].flatMap((path) =>
      (files.get(path) as SourceFile).loads
        .filter((target) => !target.startsWith('controllers/') && !['#pkg/api', '#pkg/controller'].includes(target))
        .map((target) => [target, path] as const),
    );
    expect(described(wrong)).toEqual([]);
  });

  test('of the manager neither the leader, nor serving, nor measuring', () => {
    const manager = reached('pkg/manager/index.ts', 'pkg/manager/');
    expect(manager.has('pkg/manager/run/run.ts')).toBe(true);
    const late = [
      'pkg/manager/run/lead.ts',
      'pkg/manager/run/lead-beside.ts',
      'pkg/manager/run/build-controllers.ts',
      'pkg/manager/run/serve.ts',
      'pkg/manager/run/process-metrics.ts',
    ];
    expect(late.filter((path) => !files.has(path))).toEqual([]);
    expect(described([...manager].filter(([path]) => late.includes(path)))).toEqual([]);
  });
});
