import { byteStringFromText, displayName } from '@cofre/shared/bytes';
import { CofreError, isErrorCode, type ErrorParameters } from '@cofre/shared/errors';
import type { ChunkId } from '@cofre/shared/ids';
import { problem as problemSchema, type Problem } from '@cofre/shared/wire/problem';
import { ServerAway } from './server-away.ts';

const TEXT_CHARACTERS_MAX = 300;
/** A server that is starting, overloaded, or missing behind its proxy. */
const AWAY_STATUSES: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** A commit was refused because these chunks are not on the server. */
export class MissingChunksError extends CofreError {
  readonly missing: readonly ChunkId[];

  constructor(parameters: ErrorParameters, missing: readonly ChunkId[]) {
    super('missing_chunks', parameters);
    this.missing = missing;
  }
}

/**
 * The error that an answer without success stands for: the server's own by its code, {@link ServerAway} when
 * another try may succeed, `protocol` for codes that this version does not know and for answers that no Cofre
 * server gives.
 */
export function errorOfAnswer(status: number, contentType: string, body: Buffer): Error {
  const problem = contentType.startsWith('application/problem+json') ? parseProblem(body) : null;
  if (AWAY_STATUSES.has(status)) {
    const reason = problem === null ? `HTTP status ${status}` : printable(problem.message);
    return new ServerAway(reason);
  }
  if (problem === null) {
    const kind = contentType === '' ? 'nothing' : printable(contentType);
    return new CofreError('protocol', { problem: `HTTP status ${status} with ${kind}` });
  }
  return errorOfProblem(problem);
}

function errorOfProblem(problem: Problem): CofreError {
  if (!isErrorCode(problem.code)) {
    return new CofreError('protocol', { problem: printable(`${problem.code}: ${problem.message}`) });
  }
  const parameters = Object.fromEntries(
    Object.entries(problem.parameters).map(([name, value]) => [
      name,
      typeof value === 'string' ? printable(value) : value,
    ]),
  );
  if (problem.code === 'missing_chunks' && problem.missing !== undefined) {
    return new MissingChunksError(parameters, problem.missing);
  }
  return new CofreError(problem.code, parameters);
}

function parseProblem(body: Buffer): Problem | null {
  try {
    return problemSchema.parse(JSON.parse(body.toString('utf8')));
  } catch {
    return null;
  }
}

/** The server's words end on a terminal: no control characters, and not too many. */
function printable(text: string): string {
  return displayName(byteStringFromText(text.slice(0, TEXT_CHARACTERS_MAX)));
}
