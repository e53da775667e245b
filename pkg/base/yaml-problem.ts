/** What js-yaml throws, as far as it matters here. */
interface YamlError {
  readonly reason?: string;
  readonly mark?: { readonly line: number; readonly column: number };
}

/**
 * What is wrong with a YAML text, and where, without a word of it: the parser's own message quotes the line, which may
 * hold a token. Lines and columns count from 1.
 */
export function yamlProblem(error: unknown): string {
  const { reason = 'cannot be read', mark } = (error ?? {}) as YamlError;
  const [first = ''] = reason.split('\n');
  const bare = first.replaceAll(/"[^"]*"|'[^']*'|<[^>]*>|![^ ]*/g, '…');
  return mark === undefined ? bare : `${bare} (line ${mark.line + 1}, column ${mark.column + 1})`;
}
