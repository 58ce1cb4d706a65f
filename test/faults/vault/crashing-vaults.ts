import { randomBytes } from 'node:crypto';
import { statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { openVaults } from '@cofre/server/vault/open-vaults';
import type { Vault, Vaults } from '@cofre/server/vault/vault';
import { newRandomId, type TenantId } from '@cofre/shared/ids';
import {
  sampleDevice,
  sampleDomainObject,
  sampleKeyringObject,
  type SampleDevice,
} from '../../builders/vault-samples.ts';
import type { DeviceIds } from './vault-program.ts';

/** For programs of this folder: `node PROGRAM FOLDER [CRASH_POINT COUNT]`. */

/** How one ends when the storage failed: main of the server does the same. */
const EXIT_STORAGE_FAILED = 70;

/** The log of all writes to the disk, when somebody records them: each line says how long it is by then. */
const writeLog = process.env['COFRE_TEST_WRITE_LOG'];

/** Says on standard output how far the program is: one JSON line. */
export function say(line: object): void {
  const said = writeLog === undefined ? line : { ...line, at: statSync(writeLog).size };
  writeSync(1, `${JSON.stringify(said)}\n`);
}

export interface CrashingVaults {
  readonly folder: string;
  readonly storeFolder: string;
  readonly vaults: Vaults;
  /** Puts the clocks of the service forward. */
  readonly passMs: (milliseconds: number) => void;
}

/** Opens vaults that kill this process where its command line says. */
export async function openCrashingVaults(): Promise<CrashingVaults> {
  const [folder = '', crashAt, crashCount = '1'] = process.argv.slice(2);
  const storeFolder = join(folder, 'store');
  let pointsLeft = Number(crashCount);
  let aheadMs = 0;
  const vaults = await openVaults({
    dataFolder: join(folder, 'data'),
    storeFolder,
    storeHeadroomBytes: 0,
    clockSources: { wallMs: () => Date.now() + aheadMs, monotonicMs: () => performance.now() + aheadMs },
    onFatal: (error) => {
      say({ event: 'fatal', problem: error.message });
      process.exit(EXIT_STORAGE_FAILED);
    },
    crashPoint: (name) => {
      if (name === crashAt && --pointsLeft === 0) process.kill(process.pid, 'SIGKILL');
    },
  });
  return { folder, storeFolder, vaults, passMs: (milliseconds) => void (aheadMs += milliseconds) };
}

/** A device that nobody knows yet, and what is said of it. */
export function newDevice(): { device: SampleDevice; ids: DeviceIds } {
  const seed = randomBytes(32);
  const device = sampleDevice(newRandomId<TenantId>(), seed);
  const { tenantId, deviceId, domainId, setId, keyPeriodId } = device;
  return { device, ids: { tenantId, deviceId, domainId, setId, keyPeriodId, seed: seed.toString('hex') } };
}

/** Makes its tenant, with more quota than is ever used, and brings its keys. */
export async function createVaultOf(vaults: Vaults, device: SampleDevice): Promise<Vault> {
  await vaults.create(device.tenantId, 'A tenant');
  await vaults.setQuota(device.tenantId, 2 ** 40);
  const vault = await vaults.open(device.tenantId);
  await vault.storeObject(device.caller, 'domain', sampleDomainObject(device));
  await vault.storeObject(device.caller, 'keyring', sampleKeyringObject(device, device.keyPeriodId));
  return vault;
}
