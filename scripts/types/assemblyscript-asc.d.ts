// The part of the AssemblyScript compiler's interface that is used here. Its own declarations bring AssemblyScript's
// globals with them (a `console` without `error`, for one), which would replace ours in the whole project.

export type MemoryStream = { write(chunk: string | Uint8Array): void; toString(): string };

export function createMemoryStream(): MemoryStream;

export function main(
  compilerArguments: string[],
  options: {
    stderr?: MemoryStream;
    stdout?: MemoryStream;
    readFile?: (name: string, baseFolder: string) => string | null;
    writeFile?: (name: string, contents: string | Uint8Array, baseFolder: string) => void;
    listFiles?: (folder: string, baseFolder: string) => string[] | null;
  },
): Promise<{ error: Error | null }>;
