import { resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';

/** What both commands take. */
export interface ClusterOptions {
  readonly nodes: number;
  /** 0: any free one. */
  readonly port: number;
  readonly dataDir: string;
  /** For the manager's `--controllers`, as given. */
  readonly controllers?: string;
  /** For the manager's `-v`. */
  readonly verbosity: number;
}

export interface RunOptions extends ClusterOptions {
  readonly manager: boolean;
  /** A manifest to apply, or a folder of them; none where false. */
  readonly sample: string | false;
}

export interface Commands {
  run(options: RunOptions): Promise<void>;
  smoke(options: ClusterOptions): Promise<void>;
}

const ROOT = resolve(import.meta.dirname, '../..');
const SAMPLES = resolve(ROOT, 'deploy/samples');
const MOST_NODES = 10_000;

/** The command line, with what it calls. Bad flags end the program with a message that names them. */
export function createProgram(commands: Commands): Command {
  const program = new Command('devcluster');
  program.description(
    'A Kubernetes cluster on this machine: an embedded API server, simulated nodes and our controller manager. No container is ever started, and nothing is kept: the next run starts from an empty cluster.',
  );
  program.showHelpAfterError('(--help says what there is)');
  const run = common(program.command('run')).description(
    'Keep a cluster running, roll out a sample, and print how it moves. Ctrl-C ends everything, and nothing is kept: each run starts from an empty cluster.',
  );
  run.option('--no-manager', 'only the API server and the nodes: nothing rolls out');
  run.option('--sample <path>', 'the manifest to apply, or a folder of them', SAMPLES);
  run.option('--no-sample', 'apply nothing');
  run.action((options: RunOptions) => commands.run(options));
  const smoke = common(program.command('smoke')).description(
    'From nothing to a rollout, an update, and an update after the leading manager was killed; the last line is one JSON object of times.',
  );
  smoke.action((options: ClusterOptions) => commands.smoke(options));
  return program;
}

function common(command: Command): Command {
  return command
    .option('--nodes <number>', 'how many simulated nodes', integer(0, MOST_NODES), 3)
    .option('--port <port>', 'the port of the API server on 127.0.0.1; 0 is any free one', integer(0, 65_535), 0)
    .option('--data-dir <folder>', 'where the kubeconfig and the logs go', resolve(ROOT, '.cluster'))
    .option('--controllers <list>', "the manager's --controllers, such as '*,-replicaset-controller'")
    .option('--verbosity <level>', "the manager's -v", integer(0, 10), 2);
}

function integer(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most)
      throw new InvalidArgumentError(`Not a whole number from ${least} to ${most}.`);
    return value;
  };
}
