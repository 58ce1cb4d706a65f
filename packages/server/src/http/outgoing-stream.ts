import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { reportError } from './problem-response.ts';
import type { RequestContext } from './server-environment.ts';

/**
 * Answers with a stream that is written straight to Node's response, as fast as the client takes it.
 *
 * What fails before the first piece is thrown, and becomes a problem as usual. What fails after it cuts the connection:
 * the client must not take half an answer for a whole one. When the client goes away, `pieces` is asked for no more,
 * and told so.
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
      if (!outgoing.write(next.value)) await drained(outgoing);
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
