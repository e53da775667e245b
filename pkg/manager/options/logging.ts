import type { FeatureGates } from '#pkg/featuregates';
import type { LoggerOptions } from '#pkg/log';

import { ManagerError, joinMessages } from '../errors.ts';
import { formatDuration } from './duration.ts';
import { quantityValue } from './quantity.ts';
import type { ManagerFlagValues } from './sections.ts';

const HIGHEST_VERBOSITY = 2 ** 31 - 1;

/** What the logging flags ask for (`component-base/logs/api/v1`). Throws `BadOptions` when that cannot be had. */
export function loggerOptions(
  flags: ManagerFlagValues,
  gates: FeatureGates,
): LoggerOptions & { readonly format: 'text' | 'json' } {
  const problems = [...formatProblems(flags, gates), ...alphaProblems(flags, gates)];
  if (flags['log-flush-frequency'] <= 0) {
    problems.push(
      `--log-flush-frequency: Invalid value: "${formatDuration(flags['log-flush-frequency'])}": Must be greater than zero`,
    );
  }
  if (flags.v > HIGHEST_VERBOSITY) problems.push(`--v: Invalid value: ${flags.v}: Must be <= ${HIGHEST_VERBOSITY}`);
  if (problems.length > 0) throw new ManagerError('BadOptions', joinMessages(problems), {});
  const format = flags['logging-format'] === 'json' ? 'json' : 'text';
  return {
    format,
    verbosity: flags.v,
    vmodule: flags.vmodule,
    splitStream: flags[`log-${format}-split-stream`],
    infoBufferSize: quantityValue(flags[`log-${format}-info-buffer-size`]),
    flushFrequency: flags['log-flush-frequency'],
  };
}

function formatProblems(flags: ManagerFlagValues, gates: FeatureGates): string[] {
  const format = flags['logging-format'];
  if (format === 'text' || format === '') return [];
  if (format !== 'json') return [`--logging-format: Invalid value: "${format}": Unsupported log format`];
  const problems: string[] = [];
  if (!gates.enabled('LoggingBetaOptions'))
    problems.push('--logging-format: Forbidden: Log format json is disabled, see LoggingBetaOptions feature');
  if (flags.vmodule.length > 0) problems.push('--vmodule: Forbidden: Only supported for text log format');
  return problems;
}

function alphaProblems(flags: ManagerFlagValues, gates: FeatureGates): string[] {
  if (gates.enabled('LoggingAlphaOptions')) return [];
  const used = (['text', 'json'] as const).flatMap((format) => [
    ...(flags[`log-${format}-split-stream`] ? [`log-${format}-split-stream`] : []),
    ...(quantityValue(flags[`log-${format}-info-buffer-size`]) === 0 ? [] : [`log-${format}-info-buffer-size`]),
  ]);
  return used.map((flag) => `--${flag}: Forbidden: Feature LoggingAlphaOptions is disabled`);
}
