import type { CallSite } from './call-site.ts';
import type { Fields } from './logger.ts';

export type Severity = 'info' | 'warning' | 'error';

/** One line before it is formatted. */
export interface Entry {
  readonly severity: Severity;
  /** Verbosity at which it was logged; 0 for what always appears. */
  readonly verbosity: number;
  readonly message: string;
  /** What was thrown, if anything was. */
  readonly error?: unknown;
  /** The fields of the logger, outermost first, then those of the call. */
  readonly fields: readonly Fields[];
  readonly site: CallSite;
  /** Microseconds since the epoch. */
  readonly time: number;
  readonly pid: number;
}

/** Later fields win over earlier ones of the same name but keep their place, as klog merges them. */
export function mergedFields(fields: readonly Fields[]): Fields {
  return fields.length === 1 ? fields[0]! : Object.fromEntries(fields.flatMap((some) => Object.entries(some)));
}
