import { CofreError } from '@cofre/shared/errors';
import { LIMITS } from '@cofre/shared/limits';

/** How long a tenant's snapshots are kept from deletion, and deletions from becoming final. */
export interface Periods {
  /** Nothing and nobody deletes a snapshot within this time of its receipt. It can be made longer, never shorter. */
  readonly lockMs: number;
  /** A deleted snapshot can be brought back for so long. A change counts for what is deleted after it. */
  readonly softDeleteMs: number;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** @throws CofreError `lock_not_shortened`; `invalid_request` for what lies outside its bounds */
export function requirePeriods(wanted: Partial<Periods>, known: Periods): void {
  const { lockMs, softDeleteMs } = wanted;
  if (lockMs !== undefined) {
    requireWithin('lock time', lockMs, 0, LIMITS.lockMaxMs);
    if (lockMs < known.lockMs) {
      throw new CofreError('lock_not_shortened', { current: Math.floor(known.lockMs / DAY_MS) });
    }
  }
  if (softDeleteMs !== undefined) {
    requireWithin('undo time', softDeleteMs, LIMITS.softDeleteMinMs, LIMITS.softDeleteMaxMs);
  }
}

function requireWithin(what: string, valueMs: number, minMs: number, maxMs: number): void {
  if (Number.isInteger(valueMs) && valueMs >= minMs && valueMs <= maxMs) return;
  const bounds = `from ${minMs / DAY_MS} to ${maxMs / DAY_MS} days`;
  throw new CofreError('invalid_request', { problem: `the ${what} has to be ${bounds}` });
}
