// Makes two sets of snapshots, deletes one of them whole and most of the other, and lets their content go, until it is
// ended. It says on standard output what it made: one JSON line.
//
// node retention-writer.ts FOLDER [CRASH_POINT COUNT]

import { newRandomId, type SetId } from '@cofre/shared/ids';
import { SampleRun } from '../../builders/sample-vault.ts';
import { sampleBlob, type SampleSnapshot } from '../../builders/vault-samples.ts';
import { createVaultOf, newDevice, openCrashingVaults, say } from './crashing-vaults.ts';

const SNAPSHOTS = 3;
const MONTH_MS = 31 * 24 * 3_600_000;

const { vaults, passMs } = await openCrashingVaults();
const { device, ids } = newDevice();
const vault = await createVaultOf(vaults, device);
const setIds = [device.setId, newRandomId<SetId>()] as const;

async function backUp(setId: SetId): Promise<{ snapshotId: string; refs: string[] }[]> {
  const made: { snapshotId: string; refs: string[] }[] = [];
  let previous: SampleSnapshot | null = null;
  for (let count = 0; count < SNAPSHOTS; count++) {
    const run = await SampleRun.open(vault, device, setId);
    const blobs = [sampleBlob(device), sampleBlob(device)];
    const { snapshot, refs }: Awaited<ReturnType<SampleRun['backUp']>> = await run.backUp(blobs, previous);
    made.push({ snapshotId: snapshot.snapshotId, refs });
    previous = snapshot;
  }
  return made;
}

const kept = await backUp(setIds[0]);
const given = await backUp(setIds[1]);
say({ event: 'made', ids, otherSet: setIds[1], kept, given });

passMs(MONTH_MS);
const rule = {
  keepLast: 1,
  keepDays: 0,
  hourly: 0,
  daily: 0,
  weekly: 0,
  monthly: 0,
  yearly: 0,
  changedAndDeletedDays: 0,
};
// The sets were made within an hour, which a count takes for one: so a person deletes.
await vault.retention.choose(null, { mode: 'rule', rule, timeZone: 'UTC' });
for (const { snapshotId } of kept.slice(0, -1)) {
  await vault.retention.deleteSnapshot(snapshotId as never, false);
}
await vault.retention.deleteSet(device.deviceId, setIds[1], false);
passMs(MONTH_MS);
await vault.retention.runRetention();
await vaults.close();
