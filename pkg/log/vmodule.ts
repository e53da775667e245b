/** One `pattern=N` of `--vmodule`: loggers whose name matches log up to verbosity N. */
export interface VModuleRule {
  readonly pattern: string;
  readonly verbosity: number;
}

/**
 * The verbosity that `rules` give to a logger's name; the first that matches counts, `undefined` where none does.
 *
 * The original matches names of source files. Ours are named after what logs (`deployment-controller`, `leaderelection`),
 * stay the same in a bundle, and cost nothing to know; `_` counts as `-`, so that `deployment_controller=5` still works.
 */
export function verbosityFor(rules: readonly VModuleRule[], name: string): number | undefined {
  const wanted = name.replaceAll('_', '-');
  return rules.find((rule) => glob(rule.pattern.replaceAll('_', '-')).test(wanted))?.verbosity;
}

/** Shell patterns as Go's `filepath.Match`: `*`, `?`, `[a-z]`. */
function glob(pattern: string): RegExp {
  const source = pattern.replaceAll(/\[[^\]]*\]|[*?]|[^*?[]+|\[/g, (part) => {
    if (part === '*') return '.*';
    if (part === '?') return '.';
    if (part.length > 1 && part.startsWith('[') && part.endsWith(']')) return part;
    return part.replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`);
  });
  return new RegExp(`^${source}$`);
}
