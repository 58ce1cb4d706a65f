import { CofreError } from '@cofre/shared/errors';
import { catalogHeadroomBytes, displayBytes } from '../quota.ts';
import type { IndexConnection } from './connection.ts';

/**
 * What the tenant has bought, against what is stored of it (pieces and what its devices brought as objects) and what is
 * on its way. To be asked in the transaction that reserves, so that no race passes the quota.
 * @returns null when content fits; else why it does not, while a catalog would
 * @throws CofreError `over_quota` when not even a catalog fits
 */
export function requireQuota(
  index: IndexConnection,
  lengthBytes: number,
): Record<string, string | number> | null {
  const { quotaBytes, takenBytes } = index.get<{ quotaBytes: number; takenBytes: number }>(
    `SELECT quota_bytes AS quotaBytes,
       used_bytes + object_bytes + (SELECT coalesce(sum(reserved_bytes), 0) FROM intents) AS takenBytes
     FROM vault`,
  ) as { quotaBytes: number; takenBytes: number };
  const wanted = takenBytes + lengthBytes;
  if (wanted > quotaBytes) {
    throw new CofreError('over_quota', quotaParameters(quotaBytes, takenBytes, wanted));
  }
  const contentBytesMax = quotaBytes - catalogHeadroomBytes(quotaBytes);
  if (wanted <= contentBytesMax) return null;
  return quotaParameters(contentBytesMax, takenBytes, wanted);
}

function quotaParameters(limitBytes: number, usedBytes: number, wantedBytes: number) {
  const missingBytes = wantedBytes - limitBytes;
  return {
    missing: displayBytes(missingBytes),
    used: displayBytes(usedBytes),
    quota: displayBytes(limitBytes),
    missingBytes,
    usedBytes,
    quotaBytes: limitBytes,
  };
}
