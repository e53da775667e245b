import type { Flag } from './flag.ts';

const BUFFER_HELP =
  'Bytes of info lines to keep back between flushes, with split streams: 512, 1k, 2Mi. Needs the gate LoggingAlphaOptions';
const SPLIT_HELP =
  'errors go to stderr and the rest to stdout, instead of all to stderr. Needs the gate LoggingAlphaOptions';

export const metricsFlags = [
  {
    name: 'allow-metric-labels',
    type: 'stringToString',
    default: {},
    help: 'Values that labels may have, others become "unexpected": metric,label=\'v1,v2\'',
  },
  {
    name: 'allow-metric-labels-manifest',
    type: 'string',
    default: '',
    help: 'YAML file with the same: "metric,label": "v1,v2"',
  },
  { name: 'disabled-metrics', type: 'strings', default: [], help: 'Metrics to leave out, by full name' },
  {
    name: 'show-hidden-metrics-for-version',
    type: 'string',
    default: '',
    help: 'Show metrics hidden since this version; only the previous minor one',
  },
] as const satisfies readonly Flag[];

export const logsFlags = [
  { name: 'log-flush-frequency', type: 'duration', default: 5000, help: 'Longest time between log flushes' },
  { name: 'log-json-info-buffer-size', type: 'quantity', default: '0', help: BUFFER_HELP },
  { name: 'log-json-split-stream', type: 'bool', default: false, help: `In JSON format, ${SPLIT_HELP}` },
  { name: 'log-text-info-buffer-size', type: 'quantity', default: '0', help: BUFFER_HELP },
  { name: 'log-text-split-stream', type: 'bool', default: false, help: `In text format, ${SPLIT_HELP}` },
  { name: 'logging-format', type: 'string', default: 'text', help: 'Form of the log: "text" or "json"' },
  { name: 'v', type: 'Level', default: 0, shorthand: 'v', help: 'Verbosity of the log' },
  {
    name: 'vmodule',
    type: 'pattern=N,...',
    default: [],
    help: 'Verbosity by the name of what logs, for the text format: deployment-controller=4,garbage*=6',
  },
] as const satisfies readonly Flag[];
