import { CofreError } from '@cofre/shared/errors';

/** The part of a zod schema that is needed here. */
export interface AnswerSchema<Answer> {
  safeParse(value: unknown): { success: true; data: Answer } | { success: false; error: Error };
}

/**
 * A successful answer as what it should be.
 * @throws CofreError `protocol` for anything else, such as a page of a web server
 */
export function parseAnswer<Answer>(body: Buffer, schema: AnswerSchema<Answer>): Answer {
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch (cause) {
    throw new CofreError('protocol', { problem: 'the answer is not JSON' }, { cause });
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new CofreError(
    'protocol',
    { problem: 'the answer lacks what it should hold' },
    { cause: result.error },
  );
}
