import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { buildGearWasmFile, gearWasmFile } from '../../../../scripts/build-chunker.ts';

test('the committed module is what its AssemblyScript source compiles to', async () => {
  expect(readFileSync(gearWasmFile, 'utf8')).toBe(await buildGearWasmFile());
});
