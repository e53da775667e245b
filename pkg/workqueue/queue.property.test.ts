import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FakeClock, QueueModel, settle } from '#pkg/testing';
import { createRateLimitingQueue } from './index.ts';

type Operation =
  | { readonly do: 'add' | 'done'; readonly key: string }
  | { readonly do: 'addAfter'; readonly key: string; readonly delay: number }
  | { readonly do: 'step'; readonly delay: number }
  | { readonly do: 'get' | 'shutDown' | 'drain' };

const key = fc.constantFrom('a', 'b', 'c', 'd', 'e');
// Different delays for different keys, and steps that end between them: which of two keys due at one moment comes
// first is nobody's business.
const delay = fc.record({ key, slot: fc.integer({ min: 0, max: 6 }) });
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 5, arbitrary: key.map((k): Operation => ({ do: 'add', key: k })) },
  { weight: 5, arbitrary: fc.constant<Operation>({ do: 'get' }) },
  { weight: 5, arbitrary: key.map((k): Operation => ({ do: 'done', key: k })) },
  {
    weight: 4,
    arbitrary: delay.map(({ key: k, slot }): Operation => ({
      do: 'addAfter',
      key: k,
      delay: slot * 10 + k.charCodeAt(0) - 97,
    })),
  },
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 40 }).map((n): Operation => ({ do: 'step', delay: n * 10 })) },
  { weight: 1, arbitrary: fc.constantFrom<Operation>({ do: 'shutDown' }, { do: 'drain' }) },
);

function createPair() {
  const clock = new FakeClock();
  const queue = createRateLimitingQueue<string>({ name: 'q', clock, afterEventLoopTurn: (callback) => callback() });
  const model = new QueueModel();
  const answers: (string | undefined)[] = [];
  let gets = 0;
  let drained = false;
  const apply = (op: Operation): void => {
    switch (op.do) {
      case 'add':
        queue.add(op.key);
        return model.add(op.key);
      case 'addAfter':
        queue.addAfter(op.key, op.delay);
        return model.addAfter(op.key, op.delay);
      case 'done':
        queue.done(op.key);
        return model.done(op.key);
      case 'get': {
        const get = gets++;
        void queue.get().then((answer) => (answers[get] = answer));
        return model.get();
      }
      case 'step':
        clock.stepSync(op.delay);
        return model.step(op.delay);
      case 'shutDown':
        queue.shutDown();
        return model.shutDown(false);
      case 'drain':
        void queue.shutDownWithDrain().then(() => (drained = true));
        return model.shutDown(true);
    }
  };
  return { clock, queue, model, answers, apply, drained: () => drained };
}

describe('the queue', () => {
  it('does what the model does', async () => {
    const seed = Date.now() & 0x7fffffff;
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 80 }), async (operations) => {
        const { clock, queue, model, answers, apply, drained } = createPair();
        for (const op of operations) {
          apply(op);
          expect(queue.length).toBe(model.waiting.length);
          expect(queue.shuttingDown).toBe(model.shuttingDown);
        }
        await settle();
        expect(answers).toEqual(model.answers);
        expect(drained()).toBe(model.drained);
        expect(clock.pending).toBe(model.delayed.length > 0 ? 1 : 0);
      }),
      { numRuns: 3000, seed },
    );
  });
});
