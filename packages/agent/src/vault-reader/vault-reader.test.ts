import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CofreError } from '@cofre/shared/errors';
import type { Manifest } from '@cofre/shared/format/envelope/manifest';
import { fakeFile, fakeFolder } from '../../../../test/builders/fake-entries.ts';
import { fakeContext, type FakeTraffic } from '../../../../test/builders/fake-server-client.ts';
import {
  FakeVault,
  rosterDeviceOf,
  type FakeDevice,
  type FakeTree,
} from '../../../../test/builders/fake-vault.ts';
import { fetchConfirmedRoster } from './confirmed-roster.ts';
import { checkChains } from './snapshot-chain.ts';
import { VaultReader, type SnapshotArgument } from './vault-reader.ts';

const tree: FakeTree = { '': fakeFolder(), file: fakeFile('content') };

let folder: string;
let vault: FakeVault;
let laptop: FakeDevice;
let server: FakeDevice;
let traffic: FakeTraffic;

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'cofre-vault-reader-'));
  vault = await FakeVault.create();
  laptop = await vault.addDevice('laptop');
  server = await vault.addDevice('server');
  traffic = { readGrants: 0, chunksSent: 0 };
});

afterEach(() => rmSync(folder, { recursive: true }));

async function open(device = laptop): Promise<VaultReader> {
  return await VaultReader.open(fakeContext(vault, device, folder, traffic), vault.kit);
}

async function resolved(argument: SnapshotArgument, device = laptop): Promise<string> {
  return (await (await open(device)).resolve(argument)).snapshotId;
}

const codeOf = (code: string) => expect.objectContaining({ code });

describe('the snapshots of a vault', () => {
  it('are those of the whole tenant, confirmed by the roster', async () => {
    await vault.backUp(laptop, tree);
    await vault.backUp(server, tree);
    const snapshots = await (await open()).snapshots();
    expect(snapshots.map(({ standing, deviceId }) => [standing, deviceId])).toEqual([
      ['confirmed', laptop.identity.deviceId],
      ['confirmed', server.identity.deviceId],
    ]);
    expect(traffic.readGrants).toBe(1);
  });

  it('show the names that only the customer knows', async () => {
    await vault.backUp(server, tree, { setName: 'websites' });
    const reader = await open();
    const snapshot = await reader.resolve({ snapshot: 'latest' });
    expect(await reader.info(snapshot)).toMatchObject({ setName: 'websites', hostName: 'server' });
  });

  it('are unconfirmed, with the reason, when the roster does not cover them', async () => {
    const stranger = await vault.addDevice('stranger', false);
    await vault.backUp(stranger, tree);
    await vault.backUp(laptop, tree, {
      change: (manifest) => ({ ...manifest, deviceId: server.identity.deviceId }),
    });
    await vault.backUp(laptop, tree, {
      change: (manifest) => ({ ...manifest, domainId: server.domain.domainId }),
    });
    const other = await FakeVault.create();
    await vault.backUp(laptop, tree, { change: (manifest) => ({ ...manifest, tenantId: other.tenantId }) });
    const moved = await vault.backUp(laptop, tree);
    vault.snapshots[4] = { ...moved, setId: 'ab'.repeat(16) as typeof moved.setId };
    const snapshots = await (await open()).snapshots();
    expect(snapshots.map(({ standing }) => standing)).toEqual(Array(5).fill('unconfirmed'));
    expect(new Set(snapshots.map(({ problem }) => problem)).size).toBe(5);
  });

  it('are unreadable when they are not what their id says, or were altered', async () => {
    const first = await vault.backUp(laptop, tree);
    const second = await vault.backUp(laptop, tree);
    vault.snapshots[0] = { ...first, manifest: second.manifest };
    const altered = Buffer.from(second.manifest, 'base64');
    altered[100]! ^= 1;
    vault.snapshots[1] = { ...second, manifest: altered.toString('base64') };
    const reader = await open();
    expect((await reader.snapshots()).map(({ standing }) => standing)).toEqual(['unreadable', 'unreadable']);
    await expect(reader.resolve({ snapshot: first.snapshotId })).rejects.toEqual(codeOf('damaged'));
  });
});

describe('a snapshot of a later format', () => {
  const later = {
    change: (manifest: Manifest): Manifest => ({ ...manifest, featuresRequired: ['tapes'] }),
  };

  it('is listed as such, with its cause', async () => {
    await vault.backUp(laptop, tree, later);
    const [snapshot] = await (await open()).snapshots();
    expect(snapshot).toMatchObject({ standing: 'unreadable', error: { code: 'unknown_format' } });
  });

  it('is refused by its id with what it needs, and what to do', async () => {
    const { snapshotId: snapshot } = await vault.backUp(laptop, tree, later);
    const error = await resolved({ snapshot }).catch((thrown: unknown) => thrown as CofreError);
    expect(error).toMatchObject({ code: 'unknown_format', cause: { code: 'unknown_format' } });
    expect((error as CofreError).describe('en')).toEqual({
      message: `The snapshot ${snapshot.slice(0, 12)} was written by a newer version of Cofre (it needs "tapes").`,
      hint: 'Update this program, then try again.',
    });
  });

  it('is not passed over by "latest" for an older one, which its id still gives', async () => {
    const { snapshotId } = await vault.backUp(laptop, tree);
    await vault.backUp(laptop, tree, later);
    const fresh = await vault.addDevice('fresh');
    for (const device of [laptop, fresh]) {
      await expect(resolved({ snapshot: 'latest' }, device)).rejects.toEqual(codeOf('unknown_format'));
      await expect(resolved({ snapshot: 'latest', set: 'default' }, device)).rejects.toEqual(
        codeOf('unknown_format'),
      );
      expect(await resolved({ snapshot: snapshotId }, device)).toBe(snapshotId);
    }
  });

  it('does not matter to "latest" when it is older, or of another set or computer', async () => {
    await vault.backUp(laptop, tree, later);
    const { snapshotId } = await vault.backUp(laptop, tree);
    await vault.backUp(laptop, tree, { ...later, setName: 'other' });
    await vault.backUp(server, tree, later);
    expect(await resolved({ snapshot: 'latest', set: 'default' })).toBe(snapshotId);
  });

  it('does not matter to "latest" when this computer has others', async () => {
    const { snapshotId } = await vault.backUp(laptop, tree);
    await vault.backUp(server, tree, later);
    expect(await resolved({ snapshot: 'latest' })).toBe(snapshotId);
  });
});

describe('a snapshot argument', () => {
  it('is an id or a unique beginning of one', async () => {
    const { snapshotId } = await vault.backUp(laptop, tree);
    expect(await resolved({ snapshot: snapshotId })).toBe(snapshotId);
    expect(await resolved({ snapshot: snapshotId.slice(0, 8).toUpperCase() })).toBe(snapshotId);
    for (const snapshot of [snapshotId.slice(0, 3), 'zzzz', `${snapshotId}0`, '']) {
      await expect(resolved({ snapshot })).rejects.toEqual(codeOf('not_found'));
    }
  });

  it('is refused when it fits more than one', async () => {
    const { snapshotId } = await vault.backUp(laptop, tree);
    const item = await vault.backUp(laptop, tree);
    const twin = snapshotId.slice(0, 20) + item.snapshotId.slice(20);
    vault.snapshots[1] = { ...item, snapshotId: twin as typeof item.snapshotId };
    await expect(resolved({ snapshot: snapshotId.slice(0, 12) })).rejects.toEqual(codeOf('ambiguous'));
    expect(await resolved({ snapshot: snapshotId })).toBe(snapshotId);
  });

  it('"latest" is the newest complete and confirmed one of this computer', async () => {
    const complete = await vault.backUp(laptop, tree);
    await vault.backUp(laptop, tree, { change: (manifest) => ({ ...manifest, isComplete: false }) });
    await vault.backUp(server, tree);
    expect(await resolved({ snapshot: 'latest' })).toBe(complete.snapshotId);
  });

  it('"latest" is the newest of the tenant on a computer that has none', async () => {
    await vault.backUp(laptop, tree);
    const { snapshotId } = await vault.backUp(server, tree);
    const fresh = await vault.addDevice('fresh');
    expect(await resolved({ snapshot: 'latest' }, fresh)).toBe(snapshotId);
  });

  it('"latest" can be narrowed to a device and a set', async () => {
    const mail = await vault.backUp(server, tree, { setName: 'mail' });
    const web = await vault.backUp(server, tree, { setName: 'web' });
    await vault.backUp(laptop, tree, { setName: 'home' });
    expect(await resolved({ snapshot: 'latest', device: 'server' })).toBe(web.snapshotId);
    expect(await resolved({ snapshot: 'latest', device: server.identity.deviceId })).toBe(web.snapshotId);
    expect(await resolved({ snapshot: 'latest', set: 'mail' })).toBe(mail.snapshotId);
    for (const argument of [{ device: 'nobody' }, { set: 'nothing' }, { device: 'laptop', set: 'mail' }]) {
      await expect(resolved({ snapshot: 'latest', ...argument })).rejects.toEqual(codeOf('not_found'));
    }
  });

  it('of an unconfirmed snapshot is taken only when that is asked for', async () => {
    const stranger = await vault.addDevice('stranger', false);
    const { snapshotId: snapshot } = await vault.backUp(stranger, tree);
    await expect(resolved({ snapshot })).rejects.toEqual(codeOf('untrusted'));
    expect(await resolved({ snapshot, allowUnconfirmed: true })).toBe(snapshot);
    await expect(resolved({ snapshot: 'latest', allowUnconfirmed: true })).rejects.toEqual(
      codeOf('not_found'),
    );
  });
});

describe('the chain of a device and set', () => {
  async function findings() {
    return checkChains(await (await open()).snapshots()).map(({ code, snapshotId }) => [code, snapshotId]);
  }

  it('is whole when nothing is missing, for each set on its own', async () => {
    for (const setName of ['a', 'b', 'a', 'a', 'b']) await vault.backUp(laptop, tree, { setName });
    await vault.backUp(server, tree, { setName: 'a' });
    expect(await findings()).toEqual([]);
  });

  it('shows a snapshot that is kept back, also the first', async () => {
    const [first, second, third] = [
      await vault.backUp(laptop, tree),
      await vault.backUp(laptop, tree),
      await vault.backUp(laptop, tree),
    ];
    vault.snapshots.splice(0, 3, first, third);
    expect(await findings()).toEqual([['chain_gap', third.snapshotId]]);
    vault.snapshots.splice(0, 2, second, third);
    expect(await findings()).toEqual([['chain_gap', second.snapshotId]]);
  });

  it('shows two histories', async () => {
    await vault.backUp(laptop, tree);
    const head = laptop.heads.get('default');
    await vault.backUp(laptop, tree);
    laptop.heads.set('default', head as NonNullable<typeof head>);
    const fork = await vault.backUp(laptop, { ...tree, other: fakeFile('x') });
    expect(await findings()).toEqual([['chain_fork', fork.snapshotId]]);
  });

  it('shows a snapshot that follows another one', async () => {
    await vault.backUp(laptop, tree);
    const broken = await vault.backUp(laptop, tree, {
      change: (manifest) => ({ ...manifest, previous: 'ab'.repeat(32) as typeof manifest.previous }),
    });
    expect(await findings()).toEqual([['chain_broken', broken.snapshotId]]);
  });
});

describe('keys', () => {
  it('are refused when a device put them there that is not theirs', async () => {
    await vault.backUp(laptop, tree);
    await vault.backUp(server, tree);
    const [ours, theirs] = [...vault.objects.keys()].filter((key) => key.startsWith('keyring')) as [
      string,
      string,
    ];
    vault.objects.set(ours, vault.objects.get(theirs) as Buffer);
    const reader = await open();
    const snapshot = await reader.resolve({ snapshot: 'latest' });
    await expect((await reader.catalog(snapshot)).find('file' as never)).rejects.toEqual(codeOf('untrusted'));
  });

  it('of a domain are refused in the same way', async () => {
    await vault.backUp(laptop, tree);
    const [ours, theirs] = [`domain ${laptop.domain.domainId}`, `domain ${server.domain.domainId}`];
    vault.objects.set(ours, vault.objects.get(theirs) as Buffer);
    const reader = await open();
    const snapshot = await reader.resolve({ snapshot: 'latest' });
    await expect(reader.catalog(snapshot)).rejects.toEqual(codeOf('untrusted'));
  });

  it('are fetched once, and nodes are remembered', async () => {
    await vault.backUp(laptop, tree);
    const reader = await open();
    const catalog = await reader.catalog(await reader.resolve({ snapshot: 'latest' }));
    await catalog.find('file' as never);
    const { chunksSent } = traffic;
    await catalog.find('file' as never);
    expect(traffic.chunksSent).toBe(chunksSent);
  });
});

describe('the roster', () => {
  it('is refused when the server has two of one version', async () => {
    await open();
    vault.rosterVersion -= 1;
    vault.signRoster([rosterDeviceOf(laptop)]);
    await expect(open()).rejects.toEqual(codeOf('untrusted'));
  });

  it('may go on to later versions, and nothing is remembered of what cannot be read', async () => {
    await open();
    vault.signRoster([rosterDeviceOf(laptop)]);
    expect(
      (await fetchConfirmedRoster(fakeContext(vault, laptop, folder))).device(server.identity.deviceId),
    ).toBeNull();
    writeFileSync(path.join(folder, 'roster-seen.json'), '{"version":');
    await open();
  });

  it('of another account is refused, though the same authority signed it', async () => {
    const identity = { ...laptop.identity, tenantId: 'cd'.repeat(16) as typeof laptop.identity.tenantId };
    await expect(open({ ...laptop, identity })).rejects.toEqual(codeOf('untrusted'));
  });
});
