import { CommanderError } from 'commander';
import { describe, expect, test } from 'vitest';

import { type ClusterOptions, type RunOptions, createProgram } from './options.ts';

async function parse(
  ...words: readonly string[]
): Promise<{ command: string; options: ClusterOptions | RunOptions } | string> {
  let called: { command: string; options: ClusterOptions | RunOptions } | undefined;
  const program = createProgram({
    run: async (options) => void (called = { command: 'run', options }),
    smoke: async (options) => void (called = { command: 'smoke', options }),
  });
  let said = '';
  for (const command of [program, ...program.commands]) {
    command
      .exitOverride()
      .configureOutput({ writeErr: (text) => void (said += text), writeOut: (text) => void (said += text) });
  }
  try {
    await program.parseAsync(words, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return said;
    throw error;
  }
  return called!;
}

describe('the command line', () => {
  test('has defaults for everything', async () => {
    expect(await parse('run')).toMatchObject({
      command: 'run',
      options: { nodes: 3, port: 0, manager: true, verbosity: 2 },
    });
    expect(await parse('smoke')).toMatchObject({ command: 'smoke', options: { nodes: 3, port: 0 } });
  });

  test('takes what is given', async () => {
    const words = [
      'run',
      '--nodes=10',
      '--port',
      '6443',
      '--data-dir=/somewhere',
      '--controllers=*,-job-controller',
      '--no-manager',
      '--no-sample',
    ];
    expect(await parse(...words)).toMatchObject({
      options: {
        nodes: 10,
        port: 6443,
        dataDir: '/somewhere',
        controllers: '*,-job-controller',
        manager: false,
        sample: false,
      },
    });
  });

  test.each([
    [['run', '--nodes=many'], "option '--nodes <number>' argument 'many' is invalid"],
    [['run', '--nodes=-1'], "option '--nodes <number>' argument '-1' is invalid"],
    [['smoke', '--port=99999'], "option '--port <port>' argument '99999' is invalid"],
    [['run', '--nothing'], "unknown option '--nothing'"],
    [['smoke', '--no-manager'], "unknown option '--no-manager'"],
    [['walk'], "unknown command 'walk'"],
  ])('refuses %s by name', async (words, message) => {
    expect(await parse(...words)).toContain(message);
  });
});
