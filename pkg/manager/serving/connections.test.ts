import { EventEmitter } from 'node:events';

import { expect, test } from 'vitest';

import { Connections } from './connections.ts';

class FakeConnection extends EventEmitter {
  destroyed = false;
  readonly remoteAddress = '127.0.0.1';
  readonly remotePort: number;

  constructor(remotePort: number) {
    super();
    this.remotePort = remotePort;
  }

  destroy(): this {
    this.destroyed = true;
    this.emit('close');
    return this;
  }
}

test('beyond the most there may be, the one silent longest goes', () => {
  const connections = new Connections(2);
  const [first, second, third, fourth] = [1, 2, 3, 4].map((port) => new FakeConnection(port));
  connections.add(first!);
  connections.add(second!);
  connections.heardFrom({ remoteAddress: '127.0.0.1', remotePort: 1 });
  connections.add(third!);
  expect([first, second, third].map((connection) => connection?.destroyed)).toEqual([false, true, false]);
  third!.destroy();
  connections.add(fourth!);
  expect(first!.destroyed).toBe(false);
  expect(connections.size).toBe(2);
  connections.destroyAll();
  expect([first, fourth].every((connection) => connection?.destroyed)).toBe(true);
  expect(connections.size).toBe(0);
});
