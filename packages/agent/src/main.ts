#!/usr/bin/env node
import { setFlagsFromString } from 'node:v8';
import { shareOneArena } from './one-arena.mjs';

shareOneArena();

// A young generation that does not grow keeps the agent's memory in its bounds, and costs no time that could be
// measured. It has to be said before anything is loaded.
setFlagsFromString('--semi-space-growth-factor=1');
const { runCommandLine } = await import('./cli/command-line.ts');

// Whatever still waits (a connection that idles, a worker) has nothing to say once the command has ended.
process.exit(await runCommandLine(process.argv.slice(2)));
