import type { Readable } from 'node:stream';
import { CofreError } from '@cofre/shared/errors';
import type { ChunkId, DomainId, SessionId } from '@cofre/shared/ids';
import { deviceStatus, enrolResponse } from '@cofre/shared/wire/enrolment';
import { commitResponse, packStored, session, type CommitRequest } from '@cofre/shared/wire/sessions';
import { deviceList, snapshotPage, type SnapshotItem } from '@cofre/shared/wire/snapshots';
import { objectItem, trust, type ObjectKind } from '@cofre/shared/wire/trust';
import { readChunkFrames } from './chunk-frame-stream.ts';
import { parseAnswer, type AnswerSchema } from './json-answer.ts';
import { Patience, patiently } from './patience.ts';
import { MissingChunksError } from './problem-answer.ts';
import type { ClientSettings, CommitOutcome, ReceivedChunk, ServerClient } from './server-client.ts';
import { createTransport, type Transport, type TransportRequest } from './transport.ts';
import { uploadOf } from './upload-body.ts';

export interface ClientOptions {
  /** Ends what is under way with `interrupted`. */
  readonly signal?: AbortSignal | undefined;
  /** How long a call waits for a server that is away; `serverAwayMaxMs` where it is not said. */
  readonly awayMsMax?: number;
  /** The same until the server has answered once: a mistyped address should not cost a minute. */
  readonly firstAwayMsMax?: number;
  /** Told before each wait. */
  readonly onWait?: ((problem: string) => void) | undefined;
}

/** A client over HTTP/1.1, for any thread. `close` it, or its idle connections keep the process alive for seconds. */
export function createServerClient(settings: ClientSettings, options: ClientOptions = {}): ServerClient {
  return new HttpClient(settings, options);
}

type Call = Omit<TransportRequest, 'onProgress'>;

class HttpClient implements ServerClient {
  readonly #address: string;
  readonly #options: ClientOptions;
  readonly #transport: Transport;
  #wasReached = false;

  constructor(settings: ClientSettings, options: ClientOptions) {
    this.#address = settings.address;
    this.#options = options;
    this.#transport = createTransport(settings, options.signal);
  }

  enrol: ServerClient['enrol'] = async (request) => this.#json(post('/v1/enroll', request), enrolResponse);

  status: ServerClient['status'] = async () => this.#json(get('/v1/device'), deviceStatus);

  trust: ServerClient['trust'] = async () => this.#json(get('/v1/trust'), trust);

  putTrust: ServerClient['putTrust'] = async (request) => {
    await this.#exchange({ method: 'PUT', path: '/v1/trust', body: jsonBody(request) });
  };

  sendReadGrant: ServerClient['sendReadGrant'] = async (grant) => {
    await this.#exchange({ method: 'POST', path: '/v1/read-grants', body: byteBody(grant) });
  };

  async storeObject(kind: ObjectKind, object: Uint8Array): Promise<void> {
    await this.#exchange({ method: 'POST', path: `/v1/objects/${kind}`, body: byteBody(object) });
  }

  readObject: ServerClient['readObject'] = async (kind, id) => {
    const name = kind === 'keyring' ? 'period' : 'domain';
    return this.#json(get(`/v1/objects/${kind}?${name}=${encodeURIComponent(id)}`), objectItem);
  };

  openSession: ServerClient['openSession'] = async (request) =>
    this.#json(post('/v1/sessions', request), session);

  async renewSession(sessionId: SessionId): Promise<void> {
    await this.#exchange({ method: 'POST', path: `/v1/sessions/${sessionId}/renew` });
  }

  async closeSession(sessionId: SessionId): Promise<void> {
    await this.#exchange({ method: 'DELETE', path: `/v1/sessions/${sessionId}` });
  }

  async have(sessionId: SessionId, ids: Uint8Array, verifiedWithinMs?: number): Promise<Uint8Array> {
    const query = verifiedWithinMs === undefined ? '' : `?verifiedWithinMs=${verifiedWithinMs}`;
    const path = `/v1/sessions/${sessionId}/have${query}`;
    const answer = await this.#exchange({ method: 'POST', path, body: byteBody(ids) });
    if (answer.length !== ids.length / 32) {
      const problem = `${answer.length} answers about ${ids.length / 32} chunks`;
      throw new CofreError('protocol', { problem });
    }
    return answer;
  }

  putPack: ServerClient['putPack'] = async (sessionId, operationId, parts) => {
    const path = `/v1/sessions/${sessionId}/packs/${operationId}`;
    const body = { type: 'octet-stream', content: uploadOf(parts) } as const;
    return this.#json({ method: 'PUT', path, body }, packStored);
  };

  stageRefs: ServerClient['stageRefs'] = async (sessionId, part, mode, ids) => {
    const path = `/v1/sessions/${sessionId}/refs/${part}?mode=${mode}`;
    await this.#exchange({ method: 'PUT', path, body: byteBody(ids) });
  };

  async commit(sessionId: SessionId, request: CommitRequest): Promise<CommitOutcome> {
    try {
      const answer = await this.#json(post(`/v1/sessions/${sessionId}/commit`, request), commitResponse);
      return { status: 'committed', ...answer };
    } catch (error) {
      if (error instanceof MissingChunksError) return { status: 'missing', missing: error.missing };
      throw error;
    }
  }

  snapshots: ServerClient['snapshots'] = (filter = {}) => this.#snapshotPages(filter);

  devices: ServerClient['devices'] = async () => {
    const { items } = await this.#json(get('/v1/devices'), deviceList);
    return items;
  };

  async *readChunks(domainId: DomainId, ids: readonly ChunkId[]): AsyncGenerator<ReceivedChunk> {
    const patience = this.#patience();
    for (let received = 0; received < ids.length;) {
      try {
        for await (const chunk of this.#readOnce(domainId, ids.slice(received))) {
          patience.noteLastingProgress();
          received += 1;
          yield chunk;
        }
      } catch (error) {
        await patience.waitAfter(error);
      }
    }
  }

  async close(): Promise<void> {
    await this.#transport.close();
  }

  async *#snapshotPages(filter: { set?: string; device?: string }): AsyncGenerator<SnapshotItem> {
    for (let after: number | null = 0; after !== null;) {
      const query = new URLSearchParams({ after: String(after), ...filter });
      const page: { items: SnapshotItem[]; next: number | null } = await this.#json(
        get(`/v1/snapshots?${query.toString()}`),
        snapshotPage,
      );
      yield* page.items;
      if (page.next !== null && page.next <= after) {
        throw new CofreError('protocol', { problem: 'its pages go backwards' });
      }
      after = page.next;
    }
  }

  /** One request for `ids`, which are checked against what comes. */
  async *#readOnce(domainId: DomainId, ids: readonly ChunkId[]): AsyncGenerator<ReceivedChunk> {
    const body = byteBody(Buffer.from(ids.join(''), 'hex'));
    const path = `/v1/domains/${domainId}/chunks/read`;
    const answer: Readable = await this.#transport.stream({ method: 'POST', path, body });
    this.#wasReached = true;
    try {
      let count = 0;
      for await (const chunk of readChunkFrames(answer)) {
        if (chunk.chunkId !== ids[count])
          throw new CofreError('protocol', { problem: 'chunks out of order' });
        count += 1;
        yield chunk;
      }
      if (count < ids.length)
        throw new CofreError('protocol', { problem: `${count} of ${ids.length} chunks` });
    } catch (error) {
      throw this.#transport.explain(error);
    } finally {
      answer.destroy();
    }
  }

  async #json<Answer>(call: Call, schema: AnswerSchema<Answer>): Promise<Answer> {
    return parseAnswer(await this.#exchange(call), schema);
  }

  async #exchange(call: Call): Promise<Buffer> {
    const patience = this.#patience();
    const onProgress = (): void => patience.noteProgress();
    return patiently(patience, async () => {
      const answer = await this.#transport.exchange({ ...call, onProgress });
      this.#wasReached = true;
      return answer;
    });
  }

  #patience(): Patience {
    const { signal, awayMsMax, firstAwayMsMax, onWait } = this.#options;
    const limit = this.#wasReached ? awayMsMax : (firstAwayMsMax ?? awayMsMax);
    return new Patience({
      address: this.#address,
      signal,
      onWait,
      ...(limit === undefined ? {} : { awayMsMax: limit }),
    });
  }
}

function get(path: string): Call {
  return { method: 'GET', path };
}

function post(path: string, value: object): Call {
  return { method: 'POST', path, body: jsonBody(value) };
}

function jsonBody(value: object): NonNullable<Call['body']> {
  return { type: 'json', content: uploadOf([Buffer.from(JSON.stringify(value), 'utf8')]) };
}

function byteBody(bytes: Uint8Array): NonNullable<Call['body']> {
  return { type: 'octet-stream', content: uploadOf([bytes]) };
}
