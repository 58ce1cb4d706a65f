import type { Readable } from 'node:stream';
import { CofreError } from '@cofre/shared/errors';
import { LIMITS } from '@cofre/shared/limits';
import { AUTHORIZATION_SCHEME } from '@cofre/shared/wire/enrolment';
import { Pool } from 'undici';
import { AGENT_VERSION } from './agent-version.ts';
import { explainConnectionFailure } from './connection-failure.ts';
import { pinnedConnector } from './pinned-connector.ts';
import { errorOfAnswer } from './problem-answer.ts';
import type { ClientSettings } from './server-client.ts';
import type { UploadBody } from './upload-body.ts';

/** More than any run has under way at once: packs, questions, reads. */
const CONNECTIONS_MAX = 8;
/** A page of snapshots with the largest manifests. */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024;
const PROBLEM_BYTES_MAX = 2 * 1024 * 1024;

export interface TransportRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly body?: { readonly type: 'json' | 'octet-stream'; readonly content: UploadBody };
  readonly onProgress?: () => void;
}

/** Single exchanges with one server: no waiting, no second try. */
export interface Transport {
  /**
   * The whole body of a successful answer.
   * @throws ServerAway, or a CofreError (the server's own, `protocol`, `server_certificate_changed`, `interrupted`)
   */
  exchange(request: TransportRequest): Promise<Buffer>;
  /** Like {@link exchange}, with the body as it comes; whoever stops reading it destroys it. */
  stream(request: TransportRequest): Promise<Readable>;
  /** What a failure while reading a {@link stream} means: an error as {@link exchange} throws it. */
  explain(this: void, error: unknown): unknown;
  /** Ends all connections; what is under way fails with `interrupted`. */
  close(): Promise<void>;
}

/** @throws CofreError `settings_invalid` for plain http to another computer */
export function createTransport(settings: ClientSettings, signal: AbortSignal | undefined): Transport {
  refuseOpenHttp(settings.address);
  const pool = new Pool(settings.address, {
    connect: pinnedConnector(settings.address, settings.certificatePin),
    connections: CONNECTIONS_MAX,
    allowH2: false,
    headersTimeout: LIMITS.requestTimeoutMs,
    bodyTimeout: LIMITS.bodyIdleTimeoutMs,
  });
  let isClosed = false;
  const explain = (error: unknown): unknown =>
    isClosed ? new CofreError('interrupted', {}, { cause: error }) : explainConnectionFailure(error, signal);
  const stream = async (request: TransportRequest): Promise<Readable> => {
    const { body } = request;
    try {
      const answer = await pool.request({
        method: request.method,
        path: request.path,
        headers: headersFor(request, settings.credential),
        body: body === undefined ? null : body.content.open(request.onProgress ?? (() => {})),
        signal: signal ?? null,
      });
      if (answer.statusCode >= 200 && answer.statusCode < 300) return answer.body;
      const contentType = String(answer.headers['content-type'] ?? '');
      throw errorOfAnswer(answer.statusCode, contentType, await readWhole(answer.body, PROBLEM_BYTES_MAX));
    } catch (error) {
      throw explain(error);
    }
  };
  return {
    stream,
    exchange: async (request) => {
      const body = await stream(request);
      try {
        return await readWhole(body, ANSWER_BYTES_MAX);
      } catch (error) {
        throw explain(error);
      }
    },
    explain,
    close: async () => {
      isClosed = true;
      await pool.destroy();
    },
  };
}

function headersFor(request: TransportRequest, credential: string | null): Record<string, string> {
  const headers: Record<string, string> = { 'user-agent': `cofre-agent/${AGENT_VERSION}` };
  if (credential !== null) headers['authorization'] = `${AUTHORIZATION_SCHEME} ${credential}`;
  if (request.body !== undefined) {
    headers['content-type'] = `application/${request.body.type}`;
    headers['content-length'] = String(request.body.content.lengthBytes);
  }
  return headers;
}

async function readWhole(body: Readable, bytesMax: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of body as AsyncIterable<Buffer>) {
    length += piece.length;
    if (length > bytesMax) throw new CofreError('protocol', { problem: 'the answer is too long' });
    pieces.push(piece);
  }
  return Buffer.concat(pieces, length);
}

/** Credentials and names of people would travel in the clear. */
function refuseOpenHttp(address: string): void {
  const { protocol, hostname } = new URL(address);
  const isLoopback = hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.');
  if (protocol === 'https:' || (protocol === 'http:' && isLoopback)) return;
  const problem = 'without TLS only a server on this computer is talked to';
  throw new CofreError('settings_invalid', { setting: address, problem });
}
