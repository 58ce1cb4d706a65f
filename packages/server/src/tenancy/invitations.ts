import { LIMITS } from '@cofre/shared/limits';
import type { InviteResponse } from '@cofre/shared/wire/administration';
import { formatEnrolmentLine } from '@cofre/shared/wire/enrolment-line';
import type { Clock } from '../clock.ts';
import type { TenantScope } from '../db/appliance-stores.ts';
import { hashOfSecret } from '../platform/secret-hash.ts';
import { newOneTimeCode } from './one-time-code.ts';
import type { PublicAddress } from './public-address.ts';

/**
 * Makes the line that enrols one computer. Its code is in the answer alone: the database keeps a hash of it.
 */
export async function invite(
  scope: TenantScope,
  publicAddress: PublicAddress,
  clock: Clock,
): Promise<InviteResponse> {
  const code = newOneTimeCode();
  const createdMs = clock();
  const expiresMs = createdMs + LIMITS.invitationLifetimeMs;
  await scope.insertInvitation({ codeHash: hashOfSecret(code), createdMs, expiresMs });
  return {
    line: formatEnrolmentLine({ ...publicAddress, code }),
    expires: new Date(expiresMs).toISOString(),
  };
}
