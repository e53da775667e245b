import { expect, test } from 'vitest';

import { ApiError } from '#pkg/api';

import { ignoreNotFound } from './ignore-not-found.ts';

const refused = (code: number, reason: string): Promise<string> => Promise.reject(new ApiError({ code, reason }));

test('an object that is not there is no failure, everything else is passed on', async () => {
  await expect(ignoreNotFound(Promise.resolve('there'))).resolves.toBe('there');
  await expect(ignoreNotFound(refused(404, 'NotFound'))).resolves.toBeUndefined();
  await expect(ignoreNotFound(refused(409, 'Conflict'))).rejects.toThrow(ApiError);
});
