import { defineConfig } from 'rolldown';

/**
 * A small file that starts the program, the program, and chunks for what most runs never need (profiles, YAML files,
 * HTTP/1.1, old authentication plugins): whatever is imported with `import()`. Lines stay as they are, since the log names them.
 */
export default defineConfig({
  input: { 'kube-controller-manager': 'cmd/kube-controller-manager/launch.ts' },
  platform: 'node',
  external: /^node:/,
  plugins: [
    {
      name: 'package.json',
      // Without it Node compiles each file once more, to find out whether it is a module.
      generateBundle() {
        this.emitFile({ type: 'asset', fileName: 'package.json', source: `${JSON.stringify({ type: 'module' })}\n` });
      },
    },
  ],
  output: {
    dir: 'dist',
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name].js',
    sourcemap: true,
    minify: { compress: true, mangle: false, codegen: { removeWhitespace: false } },
    cleanDir: true,
  },
});
