// `node scripts/make-vectors.ts`: writes the vectors of format 1 into test/vectors/format-1. They are frozen: a test
// fails when this would change a byte of them, and it only ever runs again when a vector is added.

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeFormatVectors } from '../test/vectors/format-generator/format-vectors.ts';
import { VECTOR_FOLDER } from '../test/vectors/format-generator/vector-files.ts';

for (const [name, content] of await makeFormatVectors()) {
  const file = join(VECTOR_FOLDER, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}
