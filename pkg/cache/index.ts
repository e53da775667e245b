/** Reflector, indexed store, shared informers, their factory and listers. */
export * from './types.ts';
export { CacheError, type CacheErrorCode } from './errors.ts';
export { keepFields } from './projection.ts';
export { compareResourceVersions, hasReached } from './resource-version.ts';
export { type InformerClient, type InformerFactoryOptions, createInformerFactory } from './factory.ts';
