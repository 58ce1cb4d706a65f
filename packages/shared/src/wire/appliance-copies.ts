import { z } from 'zod';
import { byteCount, instant } from './fields.ts';

/** A copy of the appliance's own database, in the store and perhaps in a second place. */
export const applianceCopy = z.object({
  /** Its name below the folder of copies. */
  name: z.string(),
  taken: instant,
  bytes: byteCount,
  /** What it lists; null when it is damaged. */
  content: z.object({ tenants: z.number().int(), devices: z.number().int() }).nullable(),
  /** Where else it lies; null when there is no second place, or it is not there. */
  secondFolder: z.string().nullable(),
});

export const applianceCopyList = z.object({ items: z.array(applianceCopy) });

export type ApplianceCopy = z.output<typeof applianceCopy>;
