#!/usr/bin/env node
/**
 * Entry of the bundle: has V8 keep the compiled program in a folder beside it, which saves the next start some 20 ms of
 * CPU, and then runs it. Where the folder cannot be written nothing is kept and nothing is lost.
 */
import { enableCompileCache, flushCompileCache } from 'node:module';
import { join } from 'node:path';

import { keepHeapSmall } from './memory.ts';

/** The program is loaded and the first requests are out by then, but no list is read yet, ms. */
const AFTER_START = 250;

enableCompileCache({ directory: join(import.meta.dirname, 'compile-cache'), portable: true });
// Compiled code is good only under the flags that it was kept under, so it is kept before any is changed.
setTimeout(() => {
  flushCompileCache();
  keepHeapSmall();
}, AFTER_START).unref();

await import('./main.ts');
