import { CofreError } from '@cofre/shared/errors';
import type { Administration } from './administration/administration.ts';
import { readLastSettings, type LastSettings } from './administration/last-settings.ts';
import { readSettingFile } from './administration/setting-file.ts';
import type { ApplianceSettings } from './cli/settings.ts';
import { openAppliance } from './open-appliance.ts';
import { publicAddressFrom, type AddressSettings } from './tenancy/public-address.ts';

/**
 * Administers a stopped server through its files. What is not given is as it was when the server ran last.
 * @throws CofreError `busy` while another process has the files open, `settings_invalid`
 */
export async function administerFiles<Result>(
  given: ApplianceSettings,
  work: (administration: Administration) => Promise<Result>,
): Promise<Result> {
  const { dataFolder } = given;
  const last = await readLastSettings(dataFolder);
  const storeFolder = given.storeFolder ?? last?.storeFolder;
  if (storeFolder === undefined) {
    throw new CofreError('settings_invalid', { setting: '--store', problem: 'it is missing' });
  }
  const address = await addressSettings(given, last);
  const failed = Promise.withResolvers<never>();
  const copyFolder = given.copyFolder ?? last?.copyFolder ?? null;
  const appliance = await openAppliance({ dataFolder, storeFolder, copyFolder }, failed.reject);
  try {
    const administration = appliance.administration(() => publicAddressFrom(address));
    return await Promise.race([work(administration), failed.promise]);
  } finally {
    await appliance.close();
  }
}

async function addressSettings(
  given: ApplianceSettings,
  last: LastSettings | null,
): Promise<AddressSettings> {
  const certificateFile = given.certificateFile ?? last?.certificateFile ?? null;
  return {
    // Port 0 means "any", and it is known only which one it was.
    listen: (given.listen?.port === 0 ? null : given.listen) ?? last?.listen ?? null,
    publicUrl: given.publicUrl ?? last?.publicUrl ?? null,
    certificate: certificateFile === null ? null : await readSettingFile('--tls-cert', certificateFile),
  };
}
