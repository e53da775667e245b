import { expect, test } from 'vitest';

import { Turns } from './turns.ts';

/** A loop whose turns are taken one by one, and a clock that each piece of work moves. */
function loop(most?: number): {
  turns: Turns<{ name: string }>;
  turn: () => string[];
  add: (name: string, ...pieces: number[]) => void;
} {
  let now = 0;
  let ran: string[] = [];
  const next: (() => void)[] = [];
  const rest: (() => void)[] = [];
  const connections = new Map<string, { name: string }>();
  const turns = new Turns<{ name: string }>({
    clock: { monotonic: () => now },
    nextTurn: (callback) => next.push(callback),
    ...(most === undefined ? {} : { most }),
    afterwards: (callback) => rest.push(callback),
  });
  const of = (name: string): { name: string } => {
    const known = connections.get(name) ?? { name };
    connections.set(name, known);
    return known;
  };
  return {
    turns,
    add: (name, ...pieces) => {
      for (const cost of pieces)
        turns.add(of(name), () => {
          now += cost;
          ran.push(name);
        });
    },
    turn: () => {
      ran = [];
      for (const callback of next.splice(0)) callback();
      for (let callback = rest.shift(); callback; callback = rest.shift()) callback();
      return ran;
    },
  };
}

test('connections take turns, whoever came with more', () => {
  const { add, turn } = loop();
  add('busy', 0, 0, 0);
  add('quiet', 0);
  add('other', 0, 0);
  expect(turn()).toEqual(['busy', 'quiet', 'other', 'busy', 'other', 'busy']);
  expect(turn()).toEqual([]);
});

test('a turn ends with its budget, and the next goes on where it ended', () => {
  const { add, turn } = loop();
  add('busy', ...Array.from({ length: 100 }, () => 1));
  expect(turn()).toHaveLength(10);
  add('quiet', 1);
  expect(turn().indexOf('quiet')).toBe(1);
});

test('a turn has so many pieces at most where that is asked for', () => {
  const { add, turn } = loop(2);
  add('busy', 0, 0, 0);
  expect(turn()).toHaveLength(2);
  expect(turn()).toHaveLength(1);
});
