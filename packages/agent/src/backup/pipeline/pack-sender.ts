import { newRandomId, type SessionId } from '@cofre/shared/ids';
import type { RunClient } from '../run-client.ts';
import type { RunEnding } from '../run-ending.ts';

/** Uploads at once: one is being hashed and synced by the server while the next one travels. */
const UPLOADS_MAX = 2;

/** Sends packs, a few at a time. A pack that the server refuses ends the attempt at once. */
export class PackSender {
  /** Bytes of packs that the server has acknowledged. */
  sentBytes = 0;
  sentBlobs = 0;
  /** Pieces that were damaged on the server, and are whole again by what was sent. */
  healedBlobs = 0;
  private readonly client: Pick<RunClient, 'putPack'>;
  private readonly sessionId: SessionId;
  /** Nothing is sent before the keys of the period are durable on the server. */
  private readonly keyringStored: Promise<void>;
  private readonly ending: RunEnding;
  /** Packs that were handed over and are not acknowledged yet, also those that wait for their turn. */
  private pending = 0;
  private underway = 0;
  private readonly turns: (() => void)[] = [];
  private readonly idle: (() => void)[] = [];
  /** One for each pack that is pending, resolved when it is not any more. */
  private readonly acknowledgements = new Set<Promise<void>>();

  constructor(
    client: Pick<RunClient, 'putPack'>,
    sessionId: SessionId,
    keyringStored: Promise<void>,
    ending: RunEnding,
  ) {
    this.client = client;
    this.sessionId = sessionId;
    this.keyringStored = keyringStored;
    this.ending = ending;
  }

  /** Resolves when the upload has begun; `release` is called when it was acknowledged and the parts are free again. */
  async send(parts: readonly Uint8Array[], blobs: number, release: () => void): Promise<void> {
    this.pending += 1;
    const acknowledged = Promise.withResolvers<void>();
    this.acknowledgements.add(acknowledged.promise);
    if (this.underway < UPLOADS_MAX) this.underway += 1;
    else await this.ending.unlessEnded(new Promise<void>((resolve) => this.turns.push(resolve)));
    this.ending.throwIfEnded();
    this.upload(parts, blobs)
      .then(() => {
        release();
        this.finishOne();
        this.acknowledgements.delete(acknowledged.promise);
        acknowledged.resolve();
      })
      .catch((error: unknown) => this.ending.fail(error));
  }

  /** Resolves when everything that was sent is durable. */
  async settled(): Promise<void> {
    while (this.pending > 0) {
      await this.ending.unlessEnded(new Promise<void>((resolve) => this.idle.push(resolve)));
    }
    this.ending.throwIfEnded();
  }

  /** Resolves when everything that was handed over until now is durable, whatever is handed over meanwhile. */
  async settledSoFar(): Promise<void> {
    await this.ending.unlessEnded(Promise.all(this.acknowledgements));
  }

  private async upload(parts: readonly Uint8Array[], blobs: number): Promise<void> {
    await this.keyringStored;
    const { healed } = await this.client.putPack(this.sessionId, newRandomId(), parts);
    this.healedBlobs += healed;
    for (const part of parts) this.sentBytes += part.length;
    this.sentBlobs += blobs;
  }

  /** A turn is handed on directly, so that nobody who comes later takes it first. */
  private finishOne(): void {
    this.pending -= 1;
    const next = this.turns.shift();
    if (next === undefined) this.underway -= 1;
    else next();
    if (this.pending === 0) for (const wake of this.idle.splice(0)) wake();
  }
}
