import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Script, constants } from 'node:vm';

/** What V8 compiled of `main.js` is kept in `main.js.cache`. */
const SUFFIX = '.cache';

/** The files of a bundle that have been loaded. */
export interface LoadedBundle {
  /** Keeps, beside each file, the code of whatever has run by now. */
  keep(): void;
}

type ModuleBody = (
  exports: object,
  require: (name: string) => unknown,
  module: { exports: object },
  file: string,
  folder: string,
) => void;

/**
 * Runs a file of a bundle of CommonJS files, which require each other and what Node has built in, nothing else. Code that
 * was kept is not compiled again: half of what the program does until its first request. Node's own compile cache keeps
 * less (only what was compiled when a file was loaded), and goes by the machine's processor, for which an image is not
 * built. V8 itself refuses what another version or other flags have made; then the file is compiled as ever.
 */
export function loadBundle(folder: string, entry: string): LoadedBundle {
  const modules = new Map<string, { exports: object }>();
  const scripts = new Map<string, Script>();

  function load(name: string): object {
    const known = modules.get(name);
    if (known) return known.exports;
    const module = { exports: {} };
    modules.set(name, module);
    const file = join(folder, name);
    // The build writes ASCII, and the function around it.
    const script = new Script(readFileSync(file, 'latin1'), {
      filename: file,
      cachedData: kept(file),
      importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    });
    scripts.set(file, script);
    const body = script.runInThisContext() as ModuleBody;
    const near = join(name, '..');
    const require = (wanted: string): unknown => (wanted.startsWith('.') ? load(join(near, wanted)) : builtin(wanted));
    body(module.exports, require, module, file, join(folder, near));
    return module.exports;
  }

  load(entry);
  return {
    keep() {
      for (const [file, script] of scripts) writeFileSync(file + SUFFIX, script.createCachedData());
    },
  };
}

function kept(file: string): Buffer | undefined {
  try {
    return readFileSync(file + SUFFIX);
  } catch {
    return undefined;
  }
}

function builtin(name: string): unknown {
  const found: unknown = process.getBuiltinModule(name);
  if (found === undefined) throw new Error(`the bundle requires ${name}, which Node does not have built in`);
  return found;
}
