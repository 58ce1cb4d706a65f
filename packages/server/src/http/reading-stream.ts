import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { Problem } from '@cofre/shared/wire/problem';
import type { ReadingRun } from '../administration/administration.ts';
import { problemFrom, reportError } from './problem-response.ts';
import type { RequestContext } from './server-environment.ts';

const PROGRESS_STEP_MS = 200;

type ReadingEvent<Result> =
  | { readonly type: 'progress'; readonly bytes: number }
  | { readonly type: 'result'; readonly result: Result }
  | { readonly type: 'problem'; readonly problem: Problem };

/**
 * Answers with the events of a run that reads for long, such as a verification, while it runs. What fails before anything was read is thrown; later the
 * last line says it. A client that goes away stops it.
 */
export async function sendReading<Result extends object>(
  context: RequestContext,
  read: (run: ReadingRun) => Promise<Result>,
): Promise<Response> {
  const { outgoing } = context.env;
  const stop = new AbortController();
  outgoing.once('close', () => stop.abort());
  const send = (event: ReadingEvent<Result>) => {
    if (!outgoing.headersSent) outgoing.writeHead(200, { 'content-type': 'application/x-ndjson' });
    // Nobody waits for the client here: progress lines are small, and one that is late is left out.
    if (event.type !== 'progress' || !outgoing.writableNeedDrain)
      outgoing.write(`${JSON.stringify(event)}\n`);
  };
  try {
    let nextProgressMs = 0;
    const onProgress = (bytes: number) => {
      const nowMs = performance.now();
      if (nowMs < nextProgressMs) return;
      nextProgressMs = nowMs + PROGRESS_STEP_MS;
      send({ type: 'progress', bytes });
    };
    send({ type: 'result', result: await read({ onProgress, signal: stop.signal }) });
  } catch (error) {
    if (!outgoing.headersSent) throw error;
    const problem = problemFrom(reportError(error, context), 'en', context.get('requestId'));
    send({ type: 'problem', problem });
  }
  outgoing.end();
  return RESPONSE_ALREADY_SENT;
}
