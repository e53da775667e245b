import { isNotFound } from '#pkg/api';

/** Resolves as `request` does, or with undefined where the object is not there. Other failures are thrown. */
export async function ignoreNotFound<T>(request: Promise<T>): Promise<T | undefined> {
  try {
    return await request;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
