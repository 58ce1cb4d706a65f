// `node scripts/build-chunker.ts`: compiles packages/agent/chunker-wasm/gear.ts (AssemblyScript) and writes the
// module into packages/agent/src/chunker/gear-wasm.ts. A test fails when the two have come apart.

import { createMemoryStream, main as compile } from 'assemblyscript/asc';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const agentFolder = join(import.meta.dirname, '..', 'packages', 'agent');
const sourceFile = join(agentFolder, 'chunker-wasm', 'gear.ts');
export const gearWasmFile = join(agentFolder, 'src', 'chunker', 'gear-wasm.ts');

const compilerFlags = ['--optimizeLevel', '3', '--shrinkLevel', '0', '--converge', '--noAssert']
  .concat(['--runtime', 'stub'])
  .concat(['--importMemory', '--noExportMemory', '--initialMemory', '1']);

/** The text of gear-wasm.ts. Rejects with the compiler's messages if the source does not compile. */
export async function buildGearWasmFile(): Promise<string> {
  const module = await compileGear();
  return [
    '// Made from packages/agent/chunker-wasm/gear.ts by `node scripts/build-chunker.ts`: change it there.',
    '',
    `/** The chunker's WebAssembly module, ${module.length} bytes. */`,
    'export const GEAR_WASM_BASE64 =',
    `  '${Buffer.from(module).toString('base64')}';`,
    '',
  ].join('\n');
}

async function compileGear(): Promise<Uint8Array> {
  let module: Uint8Array | undefined;
  const messages = createMemoryStream();
  const { error } = await compile(['gear.ts', '--outFile', 'gear.wasm', ...compilerFlags], {
    stderr: messages,
    readFile: (name) => (name === 'gear.ts' ? readFileSync(sourceFile, 'utf8') : null),
    writeFile: (_name, contents) => {
      if (typeof contents !== 'string') module = contents;
    },
    listFiles: () => [],
  });
  if (error || module === undefined) throw new Error(`gear.ts does not compile: ${messages.toString()}`);
  return module;
}

if (import.meta.main) writeFileSync(gearWasmFile, await buildGearWasmFile());
