import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const lastSettings = z.object({
  storeFolder: z.string(),
  listen: z.object({ host: z.string(), port: z.number().int() }),
  publicUrl: z.string().nullable(),
  certificateFile: z.string().nullable(),
  copyFolder: z.string().nullable().default(null),
});

/** How the server was started last: with this the command line works while it is stopped, without being told again. */
export type LastSettings = z.output<typeof lastSettings>;

const FILE = 'last-settings.json';

/** Keeps the settings in `dataFolder`. They are a convenience: losing them to a crash loses nothing. */
export async function saveLastSettings(dataFolder: string, settings: LastSettings): Promise<void> {
  const file = join(dataFolder, FILE);
  await writeFile(`${file}.new`, `${JSON.stringify(settings, null, 2)}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

/** Null when the server never ran there, or the file can't be understood. */
export async function readLastSettings(dataFolder: string): Promise<LastSettings | null> {
  try {
    const content: unknown = JSON.parse(await readFile(join(dataFolder, FILE), 'utf8'));
    return lastSettings.safeParse(content).data ?? null;
  } catch {
    return null;
  }
}
