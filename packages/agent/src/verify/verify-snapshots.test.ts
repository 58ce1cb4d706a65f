import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fakeFile, fakeFolder, withFolders } from '../../../../test/builders/fake-entries.ts';
import { fakeContext, type FakeTraffic } from '../../../../test/builders/fake-server-client.ts';
import { FakeVault, type FakeDevice, type FakeTree } from '../../../../test/builders/fake-vault.ts';
import type { Manifest } from '@cofre/shared/format/envelope/manifest';
import { SeededRandom } from '../../../../test/builders/seeded-random.ts';
import type { AgentVerifyFinding, VerifyOptions } from './verify.ts';
import { verifySnapshots } from './verify-snapshots.ts';

let folder: string;
let vault: FakeVault;
let device: FakeDevice;
let findings: AgentVerifyFinding[];
let traffic: FakeTraffic;

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'cofre-verify-'));
  vault = await FakeVault.create();
  device = await vault.addDevice('laptop');
  findings = [];
  traffic = { readGrants: 0, chunksSent: 0 };
});

afterEach(() => rmSync(folder, { recursive: true }));

async function verify(options: Partial<VerifyOptions> = {}, signal = new AbortController().signal) {
  const context = fakeContext(vault, device, folder, traffic);
  const observer = {
    onProgress: () => {},
    onFinding: (finding: AgentVerifyFinding) => void findings.push(finding),
  };
  return await verifySnapshots(context, { kit: vault.kit, readData: true, ...options }, observer, signal);
}

const random = new SeededRandom(11);
const shared = withFolders({
  'd/a-large': fakeFile(random.part('large').bytes(200_000)),
  'd/b-small': fakeFile('small'),
});
const more: FakeTree = { ...shared, 'd/c-new': fakeFile(random.part('new').bytes(100_000)) };

/** Keys of the blobs of a type, in the order in which they were stored. */
function keysOfType(type: 1 | 2 | 3): string[] {
  return [...vault.blobs].filter(([, blob]) => blob?.[5] === type).map(([key]) => key);
}

/** As a later version of this program might: offset 4 of a blob is its suite. */
function writeLaterFormat(key: string): void {
  (vault.blobs.get(key) as Buffer)[4] = 2;
}

const shown = () => findings.map(({ code, snapshotId, paths }) => [code, snapshotId, ...paths]);

describe('a vault that is whole', () => {
  it('has nothing to find, and each chunk is read once', async () => {
    await vault.backUp(device, shared);
    await vault.backUp(device, more);
    await vault.backUp(await vault.addDevice('other'), shared);
    const summary = await verify();
    expect(findings).toEqual([]);
    expect(summary).toMatchObject({ snapshots: 3, findings: 0, chunksRead: keysOfType(1).length });
    expect(summary.bytesRead).toBeGreaterThan(500_000);
  });

  it('is not read without being asked to', async () => {
    await vault.backUp(device, shared);
    expect(await verify({ readData: false })).toMatchObject({ chunksRead: 0, bytesRead: 0, findings: 0 });
    expect(traffic.chunksSent).toBe(keysOfType(2).length);
  });
});

describe('content that is lost', () => {
  it.each([
    ['missing', (key: string) => vault.blobs.delete(key)],
    ['altered', (key: string) => void ((vault.blobs.get(key) as Buffer)[300]! ^= 1)],
    ['found damaged by the server', (key: string) => vault.blobs.set(key, null)],
  ])('(%s) is named with every snapshot and path that needs it', async (_, lose) => {
    const first = await vault.backUp(device, shared);
    const second = await vault.backUp(device, more);
    await vault.backUp(device, { '': fakeFolder(), other: fakeFile('other') });
    lose(keysOfType(1)[0] as string);
    await verify();
    expect(shown()).toEqual([
      ['content_lost', first.snapshotId, 'd/a-large'],
      ['content_lost', second.snapshotId, 'd/a-large'],
    ]);
  });

  it('is not noticed by looking at catalogs alone', async () => {
    await vault.backUp(device, shared);
    vault.blobs.delete(keysOfType(1)[0] as string);
    await verify({ readData: false });
    expect(findings).toEqual([]);
  });
});

describe('what a later version of this program wrote', () => {
  it('is told apart from damage: content', async () => {
    const { snapshotId } = await vault.backUp(device, more);
    const [large] = keysOfType(1) as [string];
    writeLaterFormat(large);
    vault.blobs.delete(keysOfType(1).at(-1) as string);
    await verify();
    expect(shown()).toEqual([
      ['content_lost', snapshotId, 'd/c-new'],
      ['content_unknown_format', snapshotId, 'd/a-large'],
    ]);
  });

  it('is told apart from damage: a catalog, with the kit and without', async () => {
    const { snapshotId } = await vault.backUp(device, shared);
    const root = keysOfType(2)[0] as string;
    writeLaterFormat(root);
    await verify();
    await verify({ kit: null, readData: false });
    (vault.blobs.get(root) as Buffer)[0] = 0;
    await verify({ kit: null, readData: false });
    expect(findings.map(({ code }) => code)).toEqual([
      'catalog_unknown_format',
      'catalog_unknown_format',
      'catalog_damaged',
    ]);
    expect(new Set(findings.map((finding) => finding.snapshotId))).toEqual(new Set([snapshotId]));
  });

  it('is told apart from damage: a snapshot', async () => {
    const change = (manifest: Manifest): Manifest => ({ ...manifest, featuresRequired: ['tapes'] });
    const later = await vault.backUp(device, shared, { change });
    const altered = await vault.backUp(await vault.addDevice('other'), shared);
    vault.snapshots[1] = { ...altered, manifest: later.manifest };
    await verify({ readData: false });
    expect(shown()).toEqual([
      ['snapshot_unknown_format', later.snapshotId],
      ['snapshot_unreadable', altered.snapshotId],
    ]);
    expect(findings[0]?.detail).toContain('it needs "tapes"');
  });
});

describe('a catalog that is lost in part', () => {
  const files: Record<string, ReturnType<typeof fakeFile>> = {};
  for (let number = 0; number < 1500; number++)
    files[`folder/a-file-with-a-name-${number}`] = fakeFile(`${number}`);

  it.each([
    ['catalog_missing', (key: string) => vault.blobs.delete(key)],
    ['catalog_damaged', (key: string) => void (vault.blobs.get(key) as Buffer).fill(7, 400, 410)],
  ])('(%s) is named with the first path below it, and the rest is verified', async (code, lose) => {
    const { snapshotId } = await vault.backUp(device, withFolders(files));
    const nodes = keysOfType(2);
    expect(nodes.length).toBeGreaterThan(3);
    lose(nodes[1] as string);
    const { chunksRead } = await verify();
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatchObject({ code, snapshotId, pathCount: 1 });
    expect(findings[0]?.paths[0]).toMatch(/^folder\/a-file/);
    expect(chunksRead).toBeGreaterThan(0);
  });

  it('is found without the kit when its root is gone', async () => {
    const { snapshotId } = await vault.backUp(device, shared);
    await vault.backUp(await vault.addDevice('other'), shared);
    expect(await verify({ kit: null, readData: false })).toMatchObject({ snapshots: 1, findings: 0 });
    vault.blobs.delete(keysOfType(2)[0] as string);
    await verify({ kit: null, readData: false });
    expect(shown()).toEqual([['catalog_missing', snapshotId]]);
  });

  it('is found when an entry contradicts itself', async () => {
    const tree = { '': fakeFolder(), good: fakeFile('good'), odd: fakeFile('content', { size: 3 }) };
    const { snapshotId } = await vault.backUp(device, tree);
    await verify({ readData: false });
    expect(shown()).toEqual([['catalog_damaged', snapshotId, 'odd']]);
  });
});

describe('snapshots', () => {
  it('that nobody vouches for, or that are missing in a chain, are named', async () => {
    const stranger = await vault.addDevice('stranger', false);
    const strange = await vault.backUp(stranger, shared);
    await vault.backUp(device, shared);
    const third = await vault.backUp(device, more);
    vault.snapshots.splice(1, 1);
    await verify({ readData: false });
    expect(shown()).toEqual([
      ['snapshot_unconfirmed', strange.snapshotId],
      ['chain_gap', third.snapshotId],
    ]);
  });
});

describe('a verification', () => {
  it('takes the kit to read data, and the right one', async () => {
    await vault.backUp(device, shared);
    await expect(verify({ kit: null })).rejects.toMatchObject({ code: 'usage' });
    const other = await FakeVault.create();
    await expect(verify({ kit: other.kit })).rejects.toMatchObject({ code: 'wrong_key' });
  });

  it('can be interrupted', async () => {
    await vault.backUp(device, shared);
    await expect(verify({}, AbortSignal.abort())).rejects.toMatchObject({ code: 'interrupted' });
  });
});
