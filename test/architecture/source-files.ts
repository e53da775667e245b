import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

export const ROOT = resolve(import.meta.dirname, '../..');

export interface SourceFile {
  /** From the project's root, with forward slashes. */
  readonly path: string;
  readonly text: string;
  /** What it imports: `#pkg/x` as written, relative imports as paths from the root, packages by name. */
  readonly imports: readonly string[];
  /** Those of them that are loaded with it: no types, and nothing behind an `import()`. */
  readonly loads: readonly string[];
}

const IMPORT = /(?:^|\n)\s*(?:import|export)\s[^;]*?from\s+'([^']+)'|import\('([^']+)'\)|(?:^|\n)import\s+'([^']+)'/g;

const LOAD = /(?:^|\n)(?:import|export)\s(?!type\s)[^;]*?from\s+'([^']+)'|(?:^|\n)import\s+'([^']+)'/g;

/** Every TypeScript file below `folders`. */
export function sourceFiles(...folders: string[]): SourceFile[] {
  return folders.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
      .map((entry) => read(join(entry.parentPath, entry.name))),
  );
}

function read(file: string): SourceFile {
  const text = readFileSync(file, 'utf8');
  const targets = (pattern: RegExp): string[] =>
    [...text.matchAll(pattern)].map((match) => {
      const target = (match[1] ?? match[2] ?? match[3])!;
      return target.startsWith('.') ? relative(ROOT, resolve(dirname(file), target)) : target;
    });
  return { path: relative(ROOT, file), text, imports: targets(IMPORT), loads: targets(LOAD) };
}

export const isTest = (path: string): boolean =>
  path.endsWith('.test.ts') ||
  path.endsWith('.fixture.ts') ||
  path.startsWith('test/') ||
  path.startsWith('pkg/testing/');
