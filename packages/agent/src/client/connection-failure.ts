import { CofreError } from '@cofre/shared/errors';
import { ServerAway } from './server-away.ts';

/** What speaks at the address is something else, or cannot prove who it is, and will not in a minute. */
const WRONG_PEER =
  /^(HPE_(?!INVALID_EOF_STATE)|HTTPParserError$|EPROTO$|ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|UNSUPPORTED_PROTOCOL|TLSV1_ALERT_PROTOCOL_VERSION)|ERR_TLS_CERT|.*_CERT(_|$)|.*_ISSUER_|CERT_)/;

const AWAY =
  /^(E[A-Z]+|EAI_AGAIN|HPE_INVALID_EOF_STATE|UND_ERR_(SOCKET|CONNECT_TIMEOUT|HEADERS_TIMEOUT|BODY_TIMEOUT|ABORTED|INFO|RES_CONTENT_LENGTH_MISMATCH)|ERR_STREAM_PREMATURE_CLOSE|ERR_TLS_HANDSHAKE_TIMEOUT|ERR_SSL_.*)$/;

/**
 * What a failure of a connection means: {@link ServerAway} when another try may succeed, `protocol` when something
 * else answers there, `interrupted` when `signal` ended it. Anything else comes back as it is.
 */
export function explainConnectionFailure(error: unknown, signal: AbortSignal | undefined): unknown {
  if (error instanceof CofreError || error instanceof ServerAway) return error;
  if (signal?.aborted === true) return new CofreError('interrupted', {}, { cause: error });
  const code = codeOf(error);
  if (WRONG_PEER.test(code)) {
    return new CofreError(
      'protocol',
      { problem: `what listens there is no HTTP server as expected (${code})` },
      { cause: error },
    );
  }
  if (AWAY.test(code)) {
    return new ServerAway(REASONS[code] ?? code, { cause: error });
  }
  return error;
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  ENOTFOUND: 'its name is unknown',
  EAI_AGAIN: 'its name cannot be looked up now',
  EHOSTUNREACH: 'no route to it',
  ENETUNREACH: 'no route to its network',
  ETIMEDOUT: 'connection timed out',
  UND_ERR_CONNECT_TIMEOUT: 'connection timed out',
  UND_ERR_HEADERS_TIMEOUT: 'no answer in time',
  UND_ERR_BODY_TIMEOUT: 'the answer stopped half-way',
  UND_ERR_SOCKET: 'connection closed',
  EPIPE: 'connection closed',
};

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  const code = (error as NodeJS.ErrnoException).code;
  if (typeof code === 'string') return code;
  // Several addresses were tried (AggregateError), or a library wrapped the system's error.
  const inner = error instanceof AggregateError ? (error.errors[0] as unknown) : error.cause;
  return inner === undefined ? error.name : codeOf(inner);
}
