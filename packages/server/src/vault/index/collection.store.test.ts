import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LIMITS } from '@cofre/shared/limits';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { condemnLoose, dropCondemned } from './collection.store.ts';
import { IndexConnection } from './connection.ts';
import { createVault, describeVault } from './vault.store.ts';

let folder: string;
let index: IndexConnection;

/** So late that every grace is over. */
const LATE_MS = 100 + LIMITS.condemnedGraceMs;

/** A vault with two loose chunks of ten bytes. */
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofre-collection-'));
  index = new IndexConnection(join(folder, 'index.db'));
  createVault(index, { tenantId: 'ab'.repeat(16), nowMs: 1 });
  index.database.exec(`
    INSERT INTO domains (domain, domain_id, device_id, chunk_count) VALUES (1, 'cd', 'ef', 2);
    INSERT INTO packs (number, kind, length, hash, blobs, duplicates, healed, dead_bytes, device_id, operation_id,
      received_ms) VALUES (1, 1, 100, x'00', 2, 0, 0, 0, 'ef', 'op', 1);
    INSERT INTO chunks (chunk, domain, chunk_id, pack, offset, length, type)
      VALUES (1, 1, x'01', 1, 8, 10, 1), (2, 1, x'02', 1, 18, 10, 1);
    INSERT INTO loose_chunks (chunk) VALUES (1), (2);
    UPDATE vault SET used_bytes = 20`);
});

afterEach(() => {
  index.close();
  rmSync(folder, { recursive: true });
});

function openSession(generation: number): void {
  index.run(
    `INSERT INTO sessions (session_id, device_id, operation_id, domain, set_id, generation, opened_ms, lease_until_ms)
     VALUES (?, 'ef', ?, 1, 'set', ?, 1, 1)`,
    `session ${generation}`,
    `operation ${generation}`,
    generation,
  );
}

const drop = (nowMs = LATE_MS) => dropCondemned(index, { nowMs, limit: 10, isPatient: true });
const epoch = () => describeVault(index)?.livenessEpoch;

test('what was condemned stays while a session is open that may rely on it, though its grace is long over', () => {
  openSession(0);
  expect(condemnLoose(index, { nowMs: 1, limit: 10 })).toEqual({ condemned: 2, isDone: true });
  expect(describeVault(index)?.generation).toBe(1);
  expect(drop()).toMatchObject({ chunks: 0 });
  index.run('UPDATE sessions SET is_open = 0');
  expect(drop()).toMatchObject({ status: 'dropped', chunks: 2, bytes: 20 });
});

test('a session that was opened later has been told nothing of it: it goes', () => {
  condemnLoose(index, { nowMs: 1, limit: 10 });
  openSession(1);
  expect(drop(LIMITS.condemnedGraceMs)).toMatchObject({ chunks: 0 });
  expect(drop()).toMatchObject({ chunks: 2 });
});

test('whatever is dropped makes the commits that are prepared look again; nothing dropped does not', () => {
  condemnLoose(index, { nowMs: 1, limit: 10 });
  expect(drop(LIMITS.condemnedGraceMs)).toMatchObject({ chunks: 0 });
  expect(epoch()).toBe(0);
  expect(drop()).toMatchObject({ chunks: 2 });
  expect(epoch()).toBe(1);
  const counted = index.get(
    'SELECT used_bytes AS used, dead_bytes AS dead, chunk_count AS chunks FROM vault, packs, domains',
  );
  expect(counted).toEqual({ used: 0, dead: 20, chunks: 0 });
});

test('what is needed after all is not dropped, whatever was condemned', () => {
  condemnLoose(index, { nowMs: 1, limit: 10 });
  index.database.exec(`
    INSERT INTO chains (chain, device_id, set_id, domain, head_snapshot, head_sequence, refset_state, refset_count)
      VALUES (1, 'ef', 'set', 1, 'snapshot', 1, x'', 1);
    INSERT INTO head_refs (chain, chunk, from_sequence, parents) VALUES (1, 1, 1, 0);
    INSERT INTO past_refs (chain, chunk, from_sequence, to_sequence) VALUES (1, 2, 1, 2)`);
  expect(drop()).toMatchObject({ chunks: 0, bytes: 0 });
  expect(index.all('SELECT chunk FROM chunks')).toHaveLength(2);
});
