import v8 from 'node:v8';

import { loadBundle } from '../cmd/kube-controller-manager/code-cache.ts';

/** Runs the bundle in the folder of the first argument with the flags that follow, and keeps its code when told to; see code-cache.ts. */
const folder = process.argv[2];
if (folder === undefined || !process.send) throw new Error('to be run by code-cache.ts');
process.argv.splice(2, 1);

// Code is good only under the flags under which it is kept, and the program changes some once it is loaded.
v8.setFlagsFromString = () => {};

const bundle = loadBundle(folder, 'main.js');
process.once('message', () => {
  bundle.keep();
  process.exit(0);
});
