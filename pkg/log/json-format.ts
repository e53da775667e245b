import { describeError, ownValue } from '#pkg/base';

import { type Entry, mergedFields } from './entry.ts';
import { nestedJson, plainValue } from './values.ts';

/**
 * The JSON form of Kubernetes' components (`component-base/logs/json`): `ts` in milliseconds with a fraction, `caller`,
 * `msg`, `v` on everything but errors, `err`, then the fields. Warnings have no severity of their own there either.
 */
export function formatJson(entry: Entry): string {
  let line = `{"ts":${entry.time / 1000},"caller":"${entry.site.file}:${entry.site.line}","msg":${JSON.stringify(entry.message)}`;
  if (entry.severity !== 'error') line += `,"v":${entry.verbosity}`;
  else if (entry.error !== undefined && entry.error !== null)
    line += `,"err":${JSON.stringify(describeError(entry.error))}`;
  const fields = mergedFields(entry.fields);
  for (const name of Object.keys(fields))
    line += `,${JSON.stringify(name)}:${nestedJson(plainValue(name, ownValue(fields, name)))}`;
  return `${line}}\n`;
}
