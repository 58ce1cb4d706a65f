import { randomBytes } from 'node:crypto';
import { LIMITS } from '@cofre/shared/limits';
import { signingKeyFromSeed } from '@cofre/shared/signature';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  addSampleTenant,
  openSampleVaults,
  SampleRun,
  verifyAll,
  type OpenedVaults,
} from '../../../../test/builders/sample-vault.ts';
import { sampleBlob, sampleRoster, type SampleDevice } from '../../../../test/builders/vault-samples.ts';
import { KeptLog } from '../../../../test/fakes/kept-log.ts';
import { parseRetentionRule } from '../policy/retention-rule.ts';
import type { Vault } from '../vault/vault.ts';
import { maintenanceTasks } from './maintenance-tasks.ts';

const HOUR_MS = 3_600_000;

let opened: OpenedVaults;
let vault: Vault;
let device: SampleDevice;
const log = new KeptLog();

beforeEach(async () => {
  opened = await openSampleVaults();
  ({ vault, device } = await addSampleTenant(opened));
});

afterEach(async () => {
  await opened.remove();
});

function tasks() {
  const { vaults } = opened;
  return maintenanceTasks(
    {
      vaults,
      listTenantIds: async () => [`${'0'.repeat(31)}1` as typeof vault.tenantId, vault.tenantId],
      copyIfDue: async () => true,
      lookAtUse: async () => ({ tenants: 1, failures: [{ tenantId: vault.tenantId, problem: 'frozen' }] }),
    },
    log,
  );
}

const { signal } = new AbortController();

test('nobody looks for a year: rules and collection give space back, everything is read, and what counts is kept', async () => {
  const authority = signingKeyFromSeed(randomBytes(32));
  const roster = sampleRoster(authority, vault.tenantId, [device]);
  await vault.putTrust(authority.publicKey.toString('hex'), roster);
  const rule = parseRetentionRule({ keepLast: 2 });
  await vault.retention.choose(null, { mode: 'rule', rule, timeZone: 'UTC' });
  const blobs = Array.from({ length: 6 }, () => sampleBlob(device, { sealedLength: 50_000 }));
  let previous = null;
  for (const blob of blobs) {
    const run = await SampleRun.open(vault, device);
    ({ snapshot: previous } = await run.backUp([blob], previous));
    await vault.closeSession(device.caller, run.sessionId);
    opened.passHours(24);
  }
  const { usedBytes } = await vault.statistics();
  const { retention, collection, scrub } = tasks();
  for (let turn = 0; turn < 30; turn++) {
    opened.passHours(LIMITS.condemnedGraceMs / HOUR_MS + 1);
    await retention(signal);
    await collection(signal);
    await scrub(signal);
  }
  expect((await vault.statistics()).usedBytes).toBeLessThan(usedBytes / 2);
  // Two snapshots, each with a pack of content and one of its catalog.
  expect((await vault.statistics()).packs).toBe(4);
  expect(await verifyAll(vault)).toEqual([]);
});

test('a vault that fails is logged, and the others have their turn', async () => {
  const { collection } = tasks();
  await (await SampleRun.open(vault, device)).send([sampleBlob(device)]);
  log.lines.length = 0;
  await collection(signal);
  expect(log.lines.map(({ message }) => message)).toEqual(['maintenance of a vault failed', 'maintained']);
});

test('a tenant whose use could not be seen is logged', async () => {
  log.lines.length = 0;
  await tasks().usage(signal);
  expect(log.lines).toMatchObject([{ level: 'error', message: 'maintenance of a vault failed' }]);
});
