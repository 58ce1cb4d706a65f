// Makes two sets of snapshots, deletes one of them whole and most of the other, and lets their content go, until it is
// ended. It says on standard output what it made: one JSON line.
//
// node retention-writer.ts FOLDER [CRASH_POINT COUNT]

import { randomBytes } from 'node:crypto';
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { newRandomId, type SetId, type TenantId } from '@cofre/shared/ids';
import { openVaults } from '@cofre/server/vault/open-vaults';
import { SampleRun } from '../../builders/sample-vault.ts';
import {
  sampleBlob,
  sampleDevice,
  sampleDomainObject,
  sampleKeyringObject,
  type SampleSnapshot,
} from '../../builders/vault-samples.ts';

const SNAPSHOTS = 3;
const MONTH_MS = 31 * 24 * 3_600_000;

const [folder = '', crashAt, crashCount = '1'] = process.argv.slice(2);
let pointsLeft = Number(crashCount);
let aheadMs = 0;

const vaults = await openVaults({
  dataFolder: join(folder, 'data'),
  storeFolder: join(folder, 'store'),
  storeHeadroomBytes: 0,
  onFatal: () => process.exit(70),
  clockSources: { wallMs: () => Date.now() + aheadMs, monotonicMs: () => performance.now() + aheadMs },
  crashPoint: (name) => {
    if (name === crashAt && --pointsLeft === 0) process.kill(process.pid, 'SIGKILL');
  },
});

const tenantId = newRandomId<TenantId>();
await vaults.create(tenantId, 'A tenant');
await vaults.setQuota(tenantId, 2 ** 40);
const vault = await vaults.open(tenantId);
const seed = randomBytes(32);
const device = sampleDevice(tenantId, seed);
await vault.storeObject(device.caller, 'domain', sampleDomainObject(device));
await vault.storeObject(device.caller, 'keyring', sampleKeyringObject(device, device.keyPeriodId));
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
const { deviceId, domainId, keyPeriodId } = device;
writeSync(
  1,
  JSON.stringify({
    tenantId,
    deviceId,
    domainId,
    setIds,
    keyPeriodId,
    seed: seed.toString('hex'),
    kept,
    given,
  }),
);

aheadMs += MONTH_MS;
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
await vault.retention.deleteSet(deviceId, setIds[1], false);
aheadMs += MONTH_MS;
await vault.retention.runRetention();
await vaults.close();
