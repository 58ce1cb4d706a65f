import type { ChunkerKeys } from './chunker-keys.ts';
import { GEAR_TABLE_BYTES, SIP_KEY_BYTES } from './chunker-keys.ts';
import { type ChunkerParameters, cutThresholds } from './chunker-parameters.ts';
import { GEAR_WASM_BASE64 } from './gear-wasm.ts';

/** What we use of WebAssembly: its types come with the DOM's, which Node's programs must not see. */
interface WasmRuntime {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Memory: new (pages: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
}

export interface GearInstance {
  /** All of the memory; it never grows, so that views stay valid. */
  readonly memory: ArrayBuffer;
  /** As `nextCut` in chunker-wasm/gear.ts; checks nothing. */
  readonly nextCut: (start: number, end: number) => number;
}

const PAGE_BYTES = 64 * 1024;
/** The slab begins on the second page: table, keys and parameters have the first. */
export const SLAB_ADDRESS = PAGE_BYTES;

const { Module, Memory, Instance } = (globalThis as unknown as { WebAssembly: WasmRuntime }).WebAssembly;
let compiled: object | undefined;

/** One instance with its own memory and slab. The module is compiled once a thread. */
export function instantiateGear(
  keys: ChunkerKeys,
  parameters: ChunkerParameters,
  slabBytes: number,
): GearInstance {
  const pages = (SLAB_ADDRESS + slabBytes) / PAGE_BYTES;
  const memory = new Memory({ initial: Math.ceil(pages), maximum: Math.ceil(pages) });
  writeSettings(memory.buffer, keys, parameters);
  compiled ??= new Module(Buffer.from(GEAR_WASM_BASE64, 'base64'));
  const { exports } = new Instance(compiled, { env: { memory } });
  return { memory: memory.buffer, nextCut: (exports as GearInstance).nextCut };
}

/** The layout at the head of chunker-wasm/gear.ts. */
function writeSettings(memory: ArrayBuffer, keys: ChunkerKeys, parameters: ChunkerParameters): void {
  const bytes = new Uint8Array(memory);
  bytes.set(keys.gearTable, 0);
  bytes.set(keys.sipKey, GEAR_TABLE_BYTES);
  const thresholds = cutThresholds(parameters);
  const view = new DataView(memory, GEAR_TABLE_BYTES + SIP_KEY_BYTES);
  view.setBigUint64(0, thresholds.short, true);
  view.setBigUint64(8, thresholds.long, true);
  view.setUint32(16, parameters.minBytes, true);
  view.setUint32(20, parameters.averageBytes, true);
  view.setUint32(24, parameters.maxBytes, true);
}
