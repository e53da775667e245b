import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Runs the benchmarks named on the command line, or all: `node test/bench/run.ts [name...]`. Each is a file
 * `<name>.bench.ts` here and runs in a process of its own, one after the other, so that none measures another's garbage.
 */
const SUFFIX = '.bench.ts';
const known = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith(SUFFIX))
  .map((file) => file.slice(0, -SUFFIX.length))
  .toSorted();
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !known.includes(name));

if (unknown.length > 0) {
  console.error(`no such benchmark: ${unknown.join(', ')}; there are ${known.join(', ')}`);
  process.exitCode = 1;
} else {
  const failed: string[] = [];
  for (const name of wanted.length > 0 ? wanted : known) if (!(await run(name))) failed.push(name);
  if (failed.length > 0) {
    console.error(`failed: ${failed.join(', ')}`);
    process.exitCode = 1;
  }
}

function run(name: string): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--expose-gc', join(import.meta.dirname, name + SUFFIX)], {
      stdio: 'inherit',
    });
    child.once('error', () => resolve(false)).once('close', (code) => resolve(code === 0));
  });
}
