import { z } from 'zod';
import { scrubFailure } from './damage.ts';
import { byteCount } from './fields.ts';
import { problem } from './problem.ts';

/** What collections did: `collect` of the server's command line. */
export const collectionReport = z.object({
  tenants: z.number().int(),
  /** Pieces that nothing needs: they go when their grace is over. */
  condemned: z.number().int(),
  /** Pieces that are gone, and what they took of the quota. */
  dropped: z.number().int(),
  freedBytes: byteCount,
  /** Packs that were written anew, and the length of the new ones. */
  repackedPacks: z.number().int(),
  writtenBytes: byteCount,
  /** Damaged pieces that were found on the way: they count as missing now. */
  quarantined: z.number().int(),
  /** Length of files that are gone. */
  unlinkedBytes: byteCount,
  /** Vaults that could not be collected: the others were. */
  failures: z.array(scrubFailure),
});

/** It may take long: one JSON object a line, as `verify` does it. Progress counts bytes that were written anew. */
export const collectionEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('progress'), bytes: byteCount }),
  z.object({ type: z.literal('result'), result: collectionReport }),
  z.object({ type: z.literal('problem'), problem }),
]);

export type CollectionReport = z.output<typeof collectionReport>;
