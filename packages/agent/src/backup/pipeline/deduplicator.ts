import { CHUNK_ID_BYTES } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import { CHUNK_STATES, isThere, type ChunkTable } from './chunk-table.ts';

/** One byte an id of 32 bytes: not 0 where the server has it, 2 where it has not looked at it for long. */
export type AskServer = (ids: Uint8Array) => Promise<Uint8Array>;

const { live, unverified } = CHUNK_STATES;
const STATES_BY_ANSWER: readonly (number | undefined)[] = [undefined, live, live | unverified];

interface Question {
  readonly ids: Buffer;
  readonly answer: (send: Uint8Array) => void;
  readonly fail: (error: unknown) => void;
}

/**
 * Decides which chunks have to be sent. Questions that arrive together travel together; a chunk that two
 * workers meet at once is sent by one of them.
 */
export class Deduplicator {
  private readonly table: ChunkTable;
  private readonly askServer: AskServer | null;
  private waiting: Question[] = [];

  /** @param askServer null when the server has nothing yet: then whatever is not known is sent */
  constructor(table: ChunkTable, askServer: AskServer | null) {
    this.table = table;
    this.askServer = askServer;
  }

  /** One byte an id: 1 = whoever asked sends it, 0 = it is there, or on its way. */
  async decide(ids: Uint8Array): Promise<Uint8Array> {
    const question = Buffer.from(ids.buffer, ids.byteOffset, ids.byteLength);
    if (this.askServer === null || this.unknownIn(question).length === 0) return this.claim(question);
    return await new Promise((answer, fail) => {
      this.waiting.push({ ids: question, answer, fail });
      if (this.waiting.length === 1) setImmediate(() => void this.askForAll());
    });
  }

  private async askForAll(): Promise<void> {
    const questions = this.waiting;
    this.waiting = [];
    try {
      const unknown = Buffer.concat(questions.map((question) => this.unknownIn(question.ids)));
      await this.learn(unknown);
      for (const { ids, answer } of questions) answer(this.claim(ids));
    } catch (error) {
      for (const { fail } of questions) fail(error);
    }
  }

  /** Asks the server about ids of 32 bytes and marks those that it has as live. */
  async learn(ids: Buffer): Promise<void> {
    if (this.askServer === null) return;
    const step = LIMITS.haveIdsMax * CHUNK_ID_BYTES;
    for (let start = 0; start < ids.length; start += step) {
      const part = ids.subarray(start, start + step);
      const answers = await this.askServer(part);
      for (let index = 0; index * CHUNK_ID_BYTES < part.length; index++) {
        const states = STATES_BY_ANSWER[answers[index] ?? 0];
        if (states !== undefined) this.table.markAt(part, index * CHUNK_ID_BYTES, states);
      }
    }
  }

  private unknownIn(ids: Buffer): Buffer {
    const unknown: Buffer[] = [];
    for (let offset = 0; offset < ids.length; offset += CHUNK_ID_BYTES) {
      const state = this.table.stateAt(ids, offset);
      // Of a missing one the server has said already what counts.
      if (!isThere(state) && (state & CHUNK_STATES.missing) === 0)
        unknown.push(ids.subarray(offset, offset + CHUNK_ID_BYTES));
    }
    return Buffer.concat(unknown);
  }

  private claim(ids: Buffer): Uint8Array {
    const send = new Uint8Array(ids.length / CHUNK_ID_BYTES);
    for (let index = 0; index < send.length; index++) {
      const offset = index * CHUNK_ID_BYTES;
      if (isThere(this.table.stateAt(ids, offset))) continue;
      this.table.markAt(ids, offset, CHUNK_STATES.claimed);
      send[index] = 1;
    }
    return send;
  }
}
