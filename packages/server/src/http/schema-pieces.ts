import type { ZodType } from 'zod';
import { problem } from '@cofre/shared/wire/problem';
import { PROBLEM_MEDIA_TYPE } from './problem-response.ts';

/** A body in JSON, either way. */
export function jsonContent<Schema extends ZodType>(schema: Schema) {
  return { 'application/json': { schema } };
}

/** A request that must have a body in JSON. */
export function jsonBody<Schema extends ZodType>(schema: Schema) {
  return { required: true, content: jsonContent(schema) };
}

const BINARY = { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } } as const;

/** A request that must have a body of bytes; the route reads it itself. */
export function binaryBody(description: string) {
  return { description, required: true, content: BINARY };
}

/** An answer of bytes. */
export function binaryAnswer(description: string) {
  return { description, content: BINARY };
}

/** Every other answer is a problem. */
export const problemAnswer = {
  default: { description: 'A problem', content: { [PROBLEM_MEDIA_TYPE]: { schema: problem } } },
};

export const deviceSecurity = [{ device: [] }];

/** What people show: the cookie of a session, or an API token. */
export const personSecurity = [{ session: [] }, { apiToken: [] }];

/** What wants a session of a person, and takes no token. */
export const sessionSecurity = [{ session: [] }];

/** What anybody may ask: the request itself brings the proof. */
export const openSecurity: { session: [] }[] = [];
