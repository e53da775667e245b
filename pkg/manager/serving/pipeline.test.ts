import { EventEmitter } from 'node:events';

import { expect, test } from 'vitest';

import { Pipelines } from './pipeline.ts';

test('a connection with too many requests under way is closed, and those that come with them are not looked at', () => {
  const connection = {
    destroyed: false,
    destroy() {
      this.destroyed = true;
      return this as never;
    },
  };
  const pipelines = new Pipelines(2);
  const responses = Array.from({ length: 5 }, () => new EventEmitter());
  const admit = (index: number): boolean => pipelines.admit(connection, responses[index]!);
  expect([admit(0), admit(1)]).toEqual([true, true]);
  responses[0]!.emit('close');
  expect(admit(2)).toBe(true);
  expect(connection.destroyed).toBe(false);
  expect([admit(3), admit(4)]).toEqual([false, false]);
  expect(connection.destroyed).toBe(true);
});
