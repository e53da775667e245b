/**
 * Structured logging with klog's levels and forms: text as `kubectl logs` readers know it, or JSON.
 */
export { type Fields, type Logger, silentLogger } from './logger.ts';
