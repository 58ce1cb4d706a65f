// Loaded into a process before anything else (`--import`), this makes its databases as SQLite has them by default with a
// log: `synchronous = NORMAL` does not sync a commit. They say that they do, so that nobody refuses them.

import { createRequire } from 'node:module';
import { join } from 'node:path';

interface Prototype {
  pragma(source: string, options?: object): unknown;
}

const server = createRequire(join(import.meta.dirname, '../../../packages/server/src/main.ts'));
const { prototype } = server('better-sqlite3') as { prototype: Prototype };
const { value: pragma } = Object.getOwnPropertyDescriptor(prototype, 'pragma') as {
  value: (this: unknown, source: string, options?: object) => unknown;
};
prototype.pragma = function pragmaOfWeaker(this: unknown, source: string, options?: object): unknown {
  if (source === 'synchronous') return 2;
  return pragma.call(this, source === 'synchronous = FULL' ? 'synchronous = NORMAL' : source, options);
};
