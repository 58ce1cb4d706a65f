import { LIMITS } from '@cofre/shared/limits';
import { HAVE_CONDEMNED, HAVE_LIVE, HAVE_MISSING } from './index/chunks.store.ts';
import { idAt, sliceIds } from './index/packed-ids.ts';
import type { InSession } from './index/sessions.store.ts';
import type { VaultContext } from './vault-context.ts';

/** Ids that one step looks up: some tens of milliseconds on a thread that others wait for too. */
const STEP_IDS_MAX = 2_500;
/** A lease with less than this left is renewed by whatever is called. */
const RENEW_BELOW_MS = LIMITS.sessionLeaseMs * 0.75;

/** Says to a session which chunks are there, and sees to it that they stay while it lives. */
export class KnownChunks {
  private readonly vault: VaultContext;

  constructor(vault: VaultContext) {
    this.vault = vault;
  }

  /** As {@link Vault.have}. What was not verified of late goes to the front of the scrub's queue. */
  async have(inSession: InSession, ids: Buffer, verifiedWithinMs: number | null): Promise<Buffer> {
    const { nowMs } = inSession;
    const verifiedSinceMs = verifiedWithinMs === null ? null : nowMs - verifiedWithinMs;
    const flags: Uint8Array[] = [];
    for (const slice of sliceIds(ids, STEP_IDS_MAX)) {
      const asked = { ...inSession, ids: slice, verifiedSinceMs };
      const answer = await this.vault.index.call('haveChunks', asked);
      await this.reviveCondemned(inSession, slice, answer.flags);
      flags.push(answer.flags);
      const packs = answer.unverifiedPacks;
      if (packs.length > 0) await this.vault.index.call('scrubFirst', { packs, nowMs });
      if (answer.leaseUntilMs - nowMs < RENEW_BELOW_MS) {
        await this.vault.index.call('renewSession', inSession);
      }
    }
    return Buffer.concat(flags);
  }

  /** What was condemned is revived before anybody relies on it, and flagged as it is found then. */
  private async reviveCondemned(inSession: InSession, ids: Buffer, flags: Uint8Array): Promise<void> {
    const places = [...flags.keys()].filter((place) => ((flags[place] as number) & HAVE_CONDEMNED) !== 0);
    if (places.length === 0) return;
    const condemned = Buffer.concat(places.map((place) => idAt(ids, place)));
    const revived = await this.vault.index.call('reviveChunks', { ...inSession, ids: condemned });
    places.forEach((place, order) => {
      const isLive = revived[order] === HAVE_LIVE;
      flags[place] = isLive ? (flags[place] as number) - HAVE_CONDEMNED : HAVE_MISSING;
    });
  }
}
