/** Reflector, indexed store, shared informers, their factory and listers. */
export * from './types.ts';
