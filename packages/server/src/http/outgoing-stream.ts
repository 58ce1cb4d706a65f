import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { reportError } from './problem-response.ts';
import type { RequestContext } from './server-environment.ts';

/** A smaller piece is copied, which costs less than to wait until the connection has taken it. */
const WAITED_BYTES_MIN = 16 * 1024;

/**
 * Answers with a stream that is written straight to Node's response, as fast as the client takes it.
 *
 * What fails before the first piece is thrown, and becomes a problem as usual. What fails after it cuts the connection:
 * the client must not take half an answer for a whole one. When the client goes away, `pieces` is asked for no more,
 * and told so.
 *
 * @param pieces each has to be valid only until the next one is asked for. When the client goes away, the last one may
 *   still be with the connection
 */
export async function sendStream(
  context: RequestContext,
  mediaType: string,
  pieces: AsyncIterable<Uint8Array>,
): Promise<Response> {
  const { outgoing } = context.env;
  const iterator = pieces[Symbol.asyncIterator]();
  try {
    let next = await iterator.next();
    outgoing.writeHead(200, { 'content-type': mediaType });
    while (next.done !== true && !outgoing.destroyed) {
      await send(outgoing, next.value);
      next = await iterator.next();
    }
    if (next.done === true) outgoing.end();
  } catch (error) {
    if (!outgoing.headersSent) throw error;
    reportError(error, context);
    outgoing.destroy();
  } finally {
    await iterator.return?.();
  }
  return RESPONSE_ALREADY_SENT;
}

/** Resolves when nobody needs the piece any more and there is room for another, or the connection is gone. */
async function send(outgoing: ServerResponse, piece: Uint8Array): Promise<void> {
  if (piece.length >= WAITED_BYTES_MIN) await written(outgoing, piece);
  else if (!outgoing.write(Buffer.from(piece))) await drained(outgoing);
}

function written(outgoing: ServerResponse, piece: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      outgoing.off('close', done);
      resolve();
    };
    outgoing.once('close', done);
    outgoing.write(piece, done);
  });
}

async function drained(outgoing: ServerResponse): Promise<void> {
  if (outgoing.destroyed) return;
  const stop = new AbortController();
  const { signal } = stop;
  try {
    await Promise.race([once(outgoing, 'drain', { signal }), once(outgoing, 'close', { signal })]);
  } finally {
    stop.abort();
  }
}
