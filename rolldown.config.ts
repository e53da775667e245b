import { defineConfig } from 'rolldown';

/**
 * One file that starts fast, and chunks beside it for what most runs never need (profiles, YAML files, exec plugins):
 * whatever is imported with `import()`.
 */
export default defineConfig({
  input: { 'kube-controller-manager': 'cmd/kube-controller-manager/main.ts' },
  platform: 'node',
  external: /^node:/,
  output: {
    dir: 'dist',
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name]-[hash].js',
    sourcemap: true,
    minify: { compress: true, mangle: false, codegen: { removeWhitespace: false } },
    cleanDir: true,
  },
});
