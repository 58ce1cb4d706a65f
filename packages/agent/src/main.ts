#!/usr/bin/env node
import { runCommandLine } from './cli/command-line.ts';

// Whatever still waits (a connection that idles, a worker) has nothing to say once the command has ended.
process.exit(await runCommandLine(process.argv.slice(2)));
