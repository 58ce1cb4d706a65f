import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DatabasePool, VaultIndex } from './database-pool.ts';

let folder: string;
let file: string;
let pool: DatabasePool;
let index: VaultIndex;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cofre-pool-'));
  file = join(folder, 'vault.db');
  pool = new DatabasePool(2, (error) => {
    throw error;
  });
  index = new VaultIndex(pool, file);
  await index.call('createVault', { tenantId: 'ab'.repeat(16), nowMs: 1 });
});

afterEach(async () => {
  await pool.close();
  rmSync(folder, { recursive: true });
});

/** Transactions in a write-ahead log: frames that say how large the database is after them. */
function countCommits(): number {
  const log = readFileSync(`${file}-wal`);
  const pageBytes = log.readUInt32BE(8);
  let commits = 0;
  for (let frame = 32; frame + 24 + pageBytes <= log.length; frame += 24 + pageBytes) {
    if (log.readUInt32BE(frame + 4) !== 0) commits += 1;
  }
  return commits;
}

test('writes that wait together become one transaction', async () => {
  const before = countCommits();
  const begun = await Promise.all(
    Array.from({ length: 40 }, () =>
      index.call('beginObjects', { objects: [{ kind: 'keyring', meteredBytes: 0 }], nowMs: 2 }),
    ),
  );
  expect(new Set(begun.flatMap(({ numbers }) => numbers)).size).toBe(40);
  expect(countCommits() - before).toBeLessThan(20);
});

test('a write that is refused undoes itself alone, not those beside it', async () => {
  const session = { sessionId: 'ab', deviceId: 'cd', nowMs: 3 };
  const results = await Promise.allSettled([
    index.call('beginObjects', { objects: [{ kind: 'keyring', meteredBytes: 0 }], nowMs: 3 }),
    index.call('renewSession', session),
    index.call('beginObjects', { objects: [{ kind: 'domain', meteredBytes: 0 }], nowMs: 3 }),
  ]);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(results[1]).toMatchObject({ reason: { code: 'not_found' } });
  const { intents } = await index.call('listUnfinished', { limit: 10 });
  expect(intents).toEqual(['objects/1.keyring', 'objects/2.domain']);
});

test('only a file with an intent is ever doomed: what has its rows, or is not ours, is not', async () => {
  await index.call('beginObjects', { objects: [{ kind: 'keyring', meteredBytes: 0 }], nowMs: 2 });
  const paths = ['objects/1.keyring', 'objects/7.manifest'];
  expect(await index.call('doomFiles', { paths })).toEqual(['objects/1.keyring']);
  expect(await index.call('listUnfinished', { limit: 10 })).toEqual({
    intents: [],
    doomed: ['objects/1.keyring'],
  });
});

test('more vaults than may be open at once all keep what they were told', async () => {
  const many = Array.from({ length: 60 }, (_, place) => new VaultIndex(pool, join(folder, `${place}.db`)));
  for (const one of many) await one.call('createVault', { tenantId: 'ab'.repeat(16), nowMs: 1 });
  const rows = await Promise.all(many.map((one) => one.call('describeVault', undefined)));
  expect(rows.every((row) => row?.tenantId === 'ab'.repeat(16))).toBe(true);
});

test('a database of a newer version, and a file that is none, are refused', async () => {
  const newer = join(folder, 'newer.db');
  const database = new BetterSqlite3(newer);
  database.pragma('user_version = 99');
  database.close();
  const asking = new VaultIndex(pool, newer).call('describeVault', undefined);
  await expect(asking).rejects.toMatchObject({ code: 'unknown_format' });
  const none = new VaultIndex(pool, join(import.meta.dirname, 'schema.ts'));
  await expect(none.call('describeVault', undefined)).rejects.toMatchObject({ code: 'damaged' });
});
