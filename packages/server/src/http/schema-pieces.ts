import type { ZodType } from 'zod';
import { problem } from '@cofre/shared/wire/problem';
import { PROBLEM_MEDIA_TYPE } from './problem-response.ts';

/** Pieces of the routes' descriptions, from which `/openapi.json` is made. */

export function jsonContent<Schema extends ZodType>(schema: Schema) {
  return { 'application/json': { schema } };
}

export function jsonBody<Schema extends ZodType>(schema: Schema) {
  return { required: true, content: jsonContent(schema) };
}

const BINARY = { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } } as const;

export function binaryBody(description: string) {
  return { description, required: true, content: BINARY };
}

export function binaryAnswer(description: string) {
  return { description, content: BINARY };
}

/** Every other answer is a problem. */
export const problemAnswer = {
  default: { description: 'A problem', content: { [PROBLEM_MEDIA_TYPE]: { schema: problem } } },
};

export const deviceSecurity = [{ device: [] }];
