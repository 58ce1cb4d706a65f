import { createHash } from 'node:crypto';
import type { Vault } from '@cofre/server/vault/vault';
import { newRandomId, type ChunkId, type SetId } from '@cofre/shared/ids';
import { signingKeyFromSeed } from '@cofre/shared/signature';
import { addSampleDevice, addSampleTenant, SampleRun, type OpenedVaults } from './sample-vault.ts';
import {
  sampleBlob,
  sampleRoster,
  sampleSnapshot,
  type SampleBlob,
  type SampleDevice,
  type SampleSnapshot,
} from './vault-samples.ts';

/** A set whose catalog has a leaf for each group of pieces: a run changes some of them and shares the others. */
export class GroupedSet {
  readonly vault: Vault;
  readonly device: SampleDevice;
  groups: { node: SampleBlob; content: SampleBlob[] }[] = [];
  root: SampleBlob | null = null;
  snapshot: SampleSnapshot | null = null;

  constructor(vault: Vault, device: SampleDevice) {
    this.vault = vault;
    this.device = device;
  }

  group(content: SampleBlob[]) {
    const table = content.map(({ chunkId }) => chunkId);
    return { node: sampleBlob(this.device, { type: 'catalog', table }), content };
  }

  content(count: number): SampleBlob[] {
    return Array.from({ length: count }, () => sampleBlob(this.device, { sealedLength: 40 }));
  }

  /** Sends what is new of these groups and commits them, as the difference to the snapshot before. */
  async backUp(groups: GroupedSet['groups']): Promise<void> {
    const run = await SampleRun.open(this.vault, this.device);
    const before = new Set(this.refs());
    const table = groups.map(({ node }) => node.chunkId);
    const root = sampleBlob(this.device, { type: 'catalog', table });
    const isNew = ({ chunkId }: SampleBlob) => !before.has(chunkId);
    const content = groups.flatMap((group) => group.content).filter(isNew);
    for (let start = 0; start < content.length; start += 500)
      await run.send(content.slice(start, start + 500));
    await run.send([...groups.map(({ node }) => node).filter(isNew), root], 'catalog');
    this.groups = groups;
    this.root = root;
    const after = new Set(this.refs());
    await run.stage(
      'add',
      [...after].filter((id) => !before.has(id)),
    );
    const removed = [...before].filter((id) => !after.has(id));
    if (removed.length > 0) await run.stage('remove', removed);
    this.snapshot = sampleSnapshot(this.device, after, root.chunkId, this.snapshot);
    const result = await run.commit(this.snapshot, before.size > 0 ? 'delta' : 'full');
    if (result.status !== 'committed') throw new Error('the commit was refused');
  }

  refs(): ChunkId[] {
    const nodes = this.groups.map(({ node }) => node.chunkId);
    const content = this.groups.flatMap((group) => group.content.map(({ chunkId }) => chunkId));
    return [...new Set([...(this.root === null ? [] : [this.root.chunkId]), ...nodes, ...content])];
  }
}

/** Two devices, sets that change over several snapshots and share, repeat and leave pieces, and a roster. */
export async function fillVault(opened: OpenedVaults, groupsCount: number, piecesInGroup: number) {
  const { vault, device } = await addSampleTenant(opened);
  const other = await addSampleDevice(vault);
  const authority = signingKeyFromSeed(Buffer.alloc(32, 9));
  const roster = sampleRoster(authority, vault.tenantId, [device, other]);
  await vault.putTrust(authority.publicKey.toString('hex'), roster);
  const sets = [new GroupedSet(vault, device), new GroupedSet(vault, other)];
  sets.push(new GroupedSet(vault, { ...device, setId: newRandomId<SetId>() }));
  const [first, second, third] = sets as [GroupedSet, GroupedSet, GroupedSet];
  for (const set of [first, second]) {
    const groups = Array.from({ length: groupsCount }, () => set.group(set.content(piecesInGroup)));
    await set.backUp(groups);
    const changed = set.group([...(groups[1]?.content.slice(0, 3) ?? []), ...set.content(4)]);
    await set.backUp([...groups.slice(2), changed]);
    // What had gone comes back.
    await set.backUp([...groups.slice(0, 3), changed]);
    await set.backUp(groups.slice(0, 3));
  }
  // Another set of the same device shares its pieces; each is in one more pack, and dead there.
  await third.backUp(first.groups);
  await (
    await SampleRun.open(vault, device)
  ).send([...first.content(5), first.groups[0]?.content[0] as SampleBlob]);
  await vault.putTrust(
    authority.publicKey.toString('hex'),
    sampleRoster(authority, vault.tenantId, [device, { ...other, isRevoked: true }], {
      version: 1,
      previous: sha256Of(roster),
    }),
  );
  return { vault, device, other, sets, first };
}

function sha256Of(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
