import { z } from 'zod';
import { chunkId } from './fields.ts';

/** The body of every answer that is not a success (`application/problem+json`). */
export const problem = z.object({
  code: z.string(),
  message: z.string(),
  hint: z.string(),
  retryable: z.boolean(),
  requestId: z.string(),
  /** Places in message and hint, for who words them himself. */
  parameters: z.record(z.string(), z.union([z.string(), z.number()])).default({}),
  /** With `missing_chunks`: the first of them. */
  missing: z.array(chunkId).optional(),
});
export type Problem = z.output<typeof problem>;
