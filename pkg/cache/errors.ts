import { CodedError } from '#pkg/base';

/** `IndexConflict`: another function has that index name. `TransformConflict`: another transform is in use. */
export type CacheErrorCode = 'IndexConflict' | 'TransformConflict';

/** Wiring mistakes: thrown while a program is put together, never while it runs. */
export class CacheError extends CodedError<CacheErrorCode> {}
