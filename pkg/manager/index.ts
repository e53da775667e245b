/**
 * What makes a set of controllers a daemon: flags, registry, leader election, ordered start and stop, health, secure
 * serving with delegated authentication and authorization.
 *
 * Not for running one controller inside another program: build its context and call its `run`.
 */
export { ManagerError, type ManagerErrorCode } from './errors.ts';
export { CONFIG_NAME, componentConfig } from './options/config.ts';
export type { Flag, FlagSection } from './options/flag.ts';
export { formatDefault } from './options/help.ts';
export {
  type CommandLine,
  type Options,
  type Request,
  PROGRAM,
  completeOptions,
  controllerOptions,
  flagTexts,
  readCommandLine,
} from './options/options.ts';
export { type PendingFlags, flagSections } from './options/sections.ts';
export { KNOWN_CONTROLLERS, type KnownController } from './registry/known-controllers.ts';
export { type Connection } from './run/connection.ts';
export { type RunOptions, runManager } from './run/run.ts';
export { type Registry, type RegistryEntry, createRegistry } from './registry/registry.ts';
export { type Verdict, isControllerEnabled, judge, resolveAliases } from './registry/selection.ts';
