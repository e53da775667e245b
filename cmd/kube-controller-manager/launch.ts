#!/usr/bin/env node
/** Entry of the bundle: runs the program, with the compiled code that the build has put beside it. */
import { loadBundle } from './code-cache.ts';

loadBundle(import.meta.dirname, 'main.js');
