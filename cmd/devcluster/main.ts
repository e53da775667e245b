import { describeError } from '#pkg/base';
import { DevclusterError } from './errors.ts';
import { createProgram } from './options.ts';
import { run } from './run.ts';
import { smoke } from './smoke.ts';

const stop = new AbortController();
let asked = 0;
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    asked++;
    stop.abort(new DevclusterError('Interrupted', `stopped by ${name}`));
  });
}

const program = createProgram({
  run: (options) => run(options, stop.signal),
  smoke: (options) => smoke(options, stop.signal),
});

try {
  await program.parseAsync();
} catch (error) {
  console.error(`devcluster: ${describeError(error)}`);
  if (error instanceof DevclusterError && error.data.hint !== undefined) console.error(error.data.hint);
  process.exitCode = asked > 0 ? 130 : 1;
}
