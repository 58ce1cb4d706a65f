import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TenantId } from '@cofre/shared/ids';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fillVault } from '../builders/grouped-set.ts';
import { readIndexRows, type IndexRows } from '../builders/index-rows.ts';
import { openSampleVaults, verifyAll } from '../builders/sample-vault.ts';

/** A stopped appliance whose server was killed: its log is not folded into its database yet. */
let killed: string;
let tenantId: TenantId;
let rows: IndexRows;

beforeAll(async () => {
  killed = mkdtempSync(join(tmpdir(), 'cofre-rebuild-killed-'));
  const opened = await openSampleVaults();
  ({ tenantId } = (await fillVault(opened, 4, 6)).vault);
  cpSync(opened.folder, killed, { recursive: true });
  await opened.vaults.close();
  rows = readIndexRows(databaseIn(opened.folder));
  await opened.remove();
  expect(readdirSync(join(killed, 'data/vaults'))).toContain(`${tenantId}.db-wal`);
});

afterAll(() => {
  rmSync(killed, { recursive: true });
});

const databaseIn = (folder: string): string => join(folder, 'data/vaults', `${tenantId}.db`);

function runRebuild(folder: string, crashAt?: string) {
  const script = join(import.meta.dirname, 'vault/vault-rebuilder.ts');
  const words = [script, folder, tenantId, ...(crashAt === undefined ? [] : [crashAt])];
  return spawnSync(process.execPath, words, { encoding: 'utf8' });
}

const codeOf = (error: unknown): string => String((error as { code?: unknown }).code);

/** Either the old index or the new one, whole, or none: then that is said. */
async function openOrNot(folder: string): Promise<'opened' | 'none' | 'damaged'> {
  const opened = await openSampleVaults({}, folder);
  try {
    const vault = await opened.vaults.open(tenantId).catch(codeOf);
    if (vault === 'index_unusable') return 'none';
    return typeof vault === 'object' && (await verifyAll(vault)).length === 0 ? 'opened' : 'damaged';
  } finally {
    await opened.vaults.close();
  }
}

test.each([
  ['rebuild-objects', 'opened'],
  ['rebuild-packs', 'opened'],
  ['rebuild-chains', 'opened'],
  ['rebuild-made', 'opened'],
  ['replace-synced', 'opened'],
  ['replace-moved', 'none'],
  ['replace-moved-wal', 'none'],
  ['replace-moved-shm', 'none'],
  ['replace-renamed', 'opened'],
] as const)(
  'killed at %s, a rebuild leaves one whole index or none, and can be run again',
  async (point, left) => {
    const folder = mkdtempSync(join(tmpdir(), 'cofre-rebuild-'));
    try {
      cpSync(killed, folder, { recursive: true });
      expect(runRebuild(folder, point).signal).toBe('SIGKILL');
      expect(await openOrNot(folder)).toBe(left);
      const again = runRebuild(folder);
      expect(again).toMatchObject({ status: 0, stderr: '' });
      expect(readIndexRows(databaseIn(folder))).toEqual(rows);
      expect(await openOrNot(folder)).toBe('opened');
      const names = readdirSync(join(folder, 'data/vaults'));
      expect(names.filter((name) => name.includes('rebuilding'))).toEqual([]);
      expect(names).toContain(`${tenantId}.db.before-rebuild-1`);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);
