/**
 * Structured logging with klog's levels and forms: text as `kubectl logs` readers know it, or JSON.
 *
 * Libraries take a {@link Logger}; only binaries make one:
 *
 *     const log = createLogger({ format: 'json', verbosity: 2 });
 *     log.v(4)?.info('Finished syncing', { key: 'default/web' });
 *     log.error('Cannot write', new Error('refused'), { pod: { namespace: 'default', name: 'web-0' } });
 *
 * Objects of the API appear as `namespace/name`, never with their content; values of telling names (`token`,
 * `authorization`, ...) are hidden.
 */
export { type LoggerOptions, type RootLogger, createLogger } from './create-logger.ts';
export { type Fields, type Logger, silentLogger } from './logger.ts';
export { quote } from './text-format.ts';
export type { VModuleRule } from './vmodule.ts';
