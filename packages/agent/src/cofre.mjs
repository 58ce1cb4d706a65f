#!/usr/bin/env node
// Starts the agent from its sources. Node strips their types and compiles them at each start, which costs some
// 0.3 s of CPU and 35 MB (more with each worker) unless it keeps the results. This file is plain JavaScript because
// whatever runs before the cache is in use is not cached. Bundles need none of this.

import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { shareOneArena } from './one-arena.mjs';

shareOneArena();

// In the checkout itself, not in a shared temporary folder, where others could plant code.
const folder = process.env.NODE_COMPILE_CACHE ?? join(import.meta.dirname, '../node_modules/.cache/compiled');
enableCompileCache(folder);
// Workers take it from here.
process.env.NODE_COMPILE_CACHE = folder;
await import('./main.ts');
