import { buffer } from 'node:stream/consumers';
import type { IncomingMessage } from 'node:http';
import { CofreError } from '@cofre/shared/errors';
import { CHUNK_ID_BYTES, type ChunkId } from '@cofre/shared/ids';
import { openBody } from './incoming-body.ts';
import type { Middleware, RequestContext } from './server-environment.ts';

const SHORT_FIELDS_BYTES_MAX = 4096;

/**
 * Refuses a body before its first byte is read: one whose length is not declared, or is over `bytesMax`. Node's parser
 * takes no more bytes than were declared.
 */
export function bodyOfAtMost(bytesMax: number): Middleware {
  return async (context, next) => {
    declaredLength(context.env.incoming, bytesMax);
    await next();
  };
}

/** @throws CofreError `invalid_request` without Content-Length, `too_large` */
export function declaredLength(incoming: IncomingMessage, bytesMax: number): number {
  const header = incoming.headers['content-length'];
  if (header === undefined) throw new CofreError('invalid_request', { problem: 'Content-Length is missing' });
  const length = Number(header);
  if (length > bytesMax) throw new CofreError('too_large', { what: 'The body', limit: `${bytesMax} bytes` });
  return length;
}

/**
 * The whole body of a request that is small enough to be held in memory.
 * @throws CofreError as {@link declaredLength}, and `invalid_request` when it ends too early
 */
export async function readBody(context: RequestContext, bytesMax: number): Promise<Buffer> {
  const { incoming } = context.env;
  return await buffer(openBody(incoming, declaredLength(incoming, bytesMax)));
}

/**
 * A body of chunk ids, one after the other.
 * @throws CofreError as {@link readBody}, and `invalid_request` when it does not end with a whole id
 */
export async function readIds(context: RequestContext, countMax: number): Promise<Buffer> {
  const ids = await readBody(context, countMax * CHUNK_ID_BYTES);
  if (ids.length % CHUNK_ID_BYTES !== 0) {
    const problem = `the body is ${ids.length} bytes long, and an id ${CHUNK_ID_BYTES}`;
    throw new CofreError('invalid_request', { problem });
  }
  return ids;
}

/** The ids of a body that {@link readIds} has taken. */
export function splitIds(ids: Buffer): ChunkId[] {
  const count = ids.length / CHUNK_ID_BYTES;
  return Array.from({ length: count }, (_, index) => {
    const start = index * CHUNK_ID_BYTES;
    return ids.toString('hex', start, start + CHUNK_ID_BYTES) as ChunkId;
  });
}

/** The longest JSON body that carries an object of `bytesMax` in base64, and some short fields. */
export function base64BodyBytesMax(bytesMax: number): number {
  return Math.ceil(bytesMax / 3) * 4 + SHORT_FIELDS_BYTES_MAX;
}
