import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Ring } from './ring.ts';

it('gives out in order what was put in, however it grew and wrapped', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -30, max: 40 }), { maxLength: 30 }), (moves) => {
      const ring = new Ring<number>();
      const list: number[] = [];
      let next = 0;
      for (const move of moves) {
        for (let i = 0; i < move; i++) {
          ring.push(next);
          list.push(next++);
        }
        for (let i = 0; i > move; i--) expect(ring.shift()).toBe(list.shift());
        expect(ring.size).toBe(list.length);
      }
    }),
  );
});
