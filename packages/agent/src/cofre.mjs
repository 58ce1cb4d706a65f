#!/usr/bin/env node
// Starts the agent from its sources. Node strips their types and compiles them at each start, which costs some
// 0.3 s of CPU and 35 MB (more with each worker) unless it keeps the results. This file is plain JavaScript because
// whatever runs before the cache is in use is not cached. Bundles need none of this.

import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

// Threads of a run that moves much share one malloc arena: each other one of glibc's keeps what was freed in it, 20 MiB
// together. Node has threads, with arenas, before any of our code runs: only the environment comes before them. Words
// that are no text would not survive it.
const isHeavy = ['backup', 'restore'].includes(process.argv[2] ?? '');
const words = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
const isText = [...words, ...Object.values(process.env)].every((word) => !word?.includes('\uFFFD'));
if (process.platform === 'linux' && isHeavy && isText && process.env.MALLOC_ARENA_MAX === undefined) {
  process.execve?.(process.execPath, words, { ...process.env, MALLOC_ARENA_MAX: '1' });
}

// In the checkout itself, not in a shared temporary folder, where others could plant code.
const folder = process.env.NODE_COMPILE_CACHE ?? join(import.meta.dirname, '../node_modules/.cache/compiled');
enableCompileCache(folder);
// Workers take it from here.
process.env.NODE_COMPILE_CACHE = folder;
await import('./main.ts');
