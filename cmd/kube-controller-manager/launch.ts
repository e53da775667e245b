#!/usr/bin/env -S node --min-semi-space-size=4 --max-semi-space-size=4 --disable-sigusr1
/** Entry of the bundle: runs the program, with the compiled code that the build has put beside it. */
import { loadBundle } from './code-cache.ts';

loadBundle(import.meta.dirname, 'main.js');
