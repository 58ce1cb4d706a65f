import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readIdentity } from '@cofre/agent/state/identity-file';
import { BLOB_MAGIC, BLOB_TYPES, type BlobType } from '@cofre/shared/format/envelope/blob';
import { decodeManifest, encodeManifest, snapshotIdOf } from '@cofre/shared/format/envelope/manifest';
import { decodeSignedObject, encodeSignedObject } from '@cofre/shared/format/envelope/signed-object';
import { signingKeyFromSeed } from '@cofre/shared/signature';
import type { SnapshotPage } from '@cofre/shared/wire/snapshots';
import { beforeEach, expect, test } from 'vitest';
import type { AgentComputer } from '../builders/agent-process.ts';
import { backUp, expectEnd, expectFailure, restoredAt } from '../builders/agent-run.ts';
import { AlteringProxy } from '../builders/altering-proxy.ts';
import type { Account } from '../builders/installation.ts';
import { SeededRandom } from '../builders/seeded-random.ts';
import { useInstallation } from '../builders/use-installation.ts';

/**
 * What a later version of the agent might have written, put into a server's answers: this one says that it has to
 * be updated, and speaks of no damage.
 */

const HINT = 'Update this program, then try again.';

const installation = useInstallation();
let account: Account;
let proxy: AlteringProxy;
let computer: AgentComputer;
let source: string;
let snapshots: string[];

beforeEach(async () => {
  proxy = await AlteringProxy.open(installation().server.origin);
  account = await installation().account();
  computer = await account.computer('one', { origin: proxy.origin });
  source = account.at('source');
  mkdirSync(source);
  snapshots = [];
  for (const name of ['first', 'second']) {
    writeFileSync(join(source, name), new SeededRandom(name).bytes(200_000));
    snapshots.push((await backUp(computer, source)).snapshot_id);
  }
  return () => proxy.close();
});

function restoreWords(snapshot: string, target: string): string[] {
  return ['restore', snapshot, '--target', account.at(target), '--kit', account.kit, '--json'];
}

/** Gives the last blob of a type in each answer a suite that is not known yet. */
function alterBlobs(type: BlobType): void {
  const beginning = Buffer.alloc(8);
  beginning.writeUInt32LE(BLOB_MAGIC);
  beginning.set([1, BLOB_TYPES[type]], 4);
  proxy.alter = (body, path) => {
    const offset = path.endsWith('/chunks/read') ? body.lastIndexOf(beginning) : -1;
    if (offset < 0) return body;
    const altered = Buffer.from(body);
    altered[offset + 4] = 2;
    return altered;
  };
}

/** The newest snapshot as a version would have made it that needs more than this one knows: genuine in all else. */
async function alterNewestManifest(): Promise<string> {
  const identity = await readIdentity(computer.state);
  if (identity === null) throw new Error('the computer is not enrolled');
  let snapshotId = '';
  proxy.alter = (body, path) => {
    if (!path.startsWith('/v1/snapshots')) return body;
    const page = JSON.parse(body.toString()) as SnapshotPage;
    const newest = page.items.at(-1);
    if (newest === undefined) return body;
    const manifest = decodeManifest(
      decodeSignedObject(Buffer.from(newest.manifest, 'base64'), 'manifest').payload,
    );
    const payload = encodeManifest({ ...manifest, featuresRequired: ['tapes'] });
    const object = encodeSignedObject('manifest', payload, signingKeyFromSeed(identity.secrets.signingSeed));
    newest.manifest = object.toString('base64');
    newest.snapshotId = snapshotIdOf(object);
    snapshotId = newest.snapshotId;
    return Buffer.from(JSON.stringify(page));
  };
  expectEnd(await computer.run('snapshots', '--kit', account.kit, '--json'), 0);
  return snapshotId;
}

test('content: the file is named and left out, all others are restored', async () => {
  alterBlobs('data');
  const run = await computer.run(...restoreWords('latest', 'target'));
  expect(proxy.altered).toBeGreaterThan(0);
  expectFailure(
    { ...run, stderr: run.stderr.replace(/^warning: .*\n/gm, '') },
    {
      exit: 1,
      code: 'unknown_format',
      message: `${join(source, 'second')} was written by a newer version of Cofre (everything else was restored).`,
      hint: HINT,
    },
  );
  const named = run.json().filter((line) => line['kind'] === 'later-format');
  expect(named).toMatchObject([{ code: 'unknown_format', path: join(source, 'second') }]);
  const first = readFileSync(join(restoredAt(account.at('target'), source), 'first'));
  expect(first.equals(readFileSync(join(source, 'first')))).toBe(true);
  const verified = await computer.run('verify', '--read-data', '--kit', account.kit, '--json');
  expectEnd(verified, 1);
  const codes = verified.json().flatMap((line) => (line['message_type'] === 'error' ? [line['code']] : []));
  expect(new Set(codes)).toEqual(new Set(['content_unknown_format']));
});

test('a node of a catalog: every command that meets it names it', async () => {
  const [first = '', second = ''] = snapshots;
  alterBlobs('catalog');
  for (const words of [
    restoreWords('latest', 'target'),
    ['ls', 'latest', '--kit', account.kit, '--json'],
    ['find', 'latest', 'first', '--kit', account.kit, '--json'],
    ['diff', first, second, '--kit', account.kit, '--json'],
  ]) {
    expectFailure(await computer.run(...words), {
      exit: 1,
      code: 'unknown_format',
      message: /^Node [0-9a-f]{64} of a catalog was written by a newer version of Cofre \(suite 2, .*\)\.$/,
      hint: HINT,
    });
  }
  const verified = await computer.run('verify', '--read-data', '--kit', account.kit, '--json');
  expectEnd(verified, 1);
  const codes = verified.json().flatMap((line) => (line['message_type'] === 'error' ? [line['code']] : []));
  expect(new Set(codes)).toEqual(new Set(['catalog_unknown_format']));
});

test('a snapshot: "latest" does not pass over it, and an earlier one is restored by its id', async () => {
  const later = await alterNewestManifest();
  for (const words of [restoreWords('latest', 'target'), ['ls', later, '--kit', account.kit, '--json']]) {
    expectFailure(await computer.run(...words), {
      exit: 1,
      code: 'unknown_format',
      message: `The snapshot ${later.slice(0, 12)} was written by a newer version of Cofre (it needs "tapes").`,
      hint: HINT,
    });
  }
  const [first = ''] = snapshots;
  expectEnd(await computer.run(...restoreWords(first, 'target')), 0);
  const restored = readFileSync(join(restoredAt(account.at('target'), source), 'first'));
  expect(restored.equals(readFileSync(join(source, 'first')))).toBe(true);
  const verified = await computer.run('verify', '--kit', account.kit, '--json');
  expectEnd(verified, 1);
  expect(verified.json().filter((line) => line['message_type'] === 'error')).toMatchObject([
    { code: 'snapshot_unknown_format', snapshot_id: later },
  ]);
});
