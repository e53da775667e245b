import { defineConfig } from 'rolldown';

const LAUNCH = 'kube-controller-manager';
/** What has to run before the program is loaded. */
const LAUNCHER = /kube-controller-manager[\\/](?:launch|code-cache)\.ts$/;

/**
 * A small file that starts the program, the program as far as its first request needs it, and chunks for all that is
 * imported with `import()`: the leader's part, each controller, serving, and what most runs never need (HTTP/1.1, old
 * authentication plugins). Lines stay as they are, since the log names them.
 *
 * CommonJS, since Node takes 8 ms longer to give a module its own modules: it reads every one of their properties.
 */
export default defineConfig({
  input: {
    [LAUNCH]: 'cmd/kube-controller-manager/launch.ts',
    main: 'cmd/kube-controller-manager/main.ts',
  },
  platform: 'node',
  external: /^node:/,
  preserveEntrySignatures: false,
  // pino starts threads only for transports, which the log does not use.
  resolve: { alias: { 'thread-stream': false } },
  // What a package's index names, but nobody uses, must not come along.
  treeshake: { moduleSideEffects: [{ test: /[\\/](?:pkg|controllers)[\\/](?!.*node_modules)/, sideEffects: false }] },
  plugins: [
    {
      name: 'as-loaded',
      // The launcher reads text of one byte a character, which is twice as fast (one Greek letter would widen all of it),
      // and takes each file as the function that it is, since to put half a megabyte together costs a garbage collection.
      generateBundle(_options, bundle) {
        for (const file of Object.values(bundle)) {
          if (file.type !== 'chunk' || file.name === LAUNCH) continue;
          file.code = `(function (exports, require, module, __filename, __dirname) {${file.code.replaceAll(/[^\0-\x7f]/g, escaped)}\n})`;
        }
      },
    },
    {
      name: 'package.json',
      // The project's own says that files are modules.
      generateBundle() {
        this.emitFile({ type: 'asset', fileName: 'package.json', source: `${JSON.stringify({ type: 'commonjs' })}\n` });
      },
    },
  ],
  output: {
    dir: 'dist',
    format: 'cjs',
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name].js',
    sourcemap: true,
    comments: false,
    codeSplitting: {
      groups: [
        { name: 'start', tags: ['$initial'], test: (id) => !LAUNCHER.test(id), includeDependenciesRecursively: false },
      ],
    },
    minify: { compress: true, mangle: false, codegen: { removeWhitespace: false } },
    cleanDir: true,
  },
});

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
