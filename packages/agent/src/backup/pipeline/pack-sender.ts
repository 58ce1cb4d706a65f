import { newRandomId, type SessionId } from '@cofre/shared/ids';
import type { ServerClient } from '../../client/server-client.ts';

/** Uploads at once: one is being hashed and synced by the server while the next one travels. */
const UPLOADS_MAX = 2;

/** Sends packs, a few at a time; the first failure is kept and thrown to whoever asks next. */
export class PackSender {
  /** Bytes of packs that the server has acknowledged. */
  sentBytes = 0;
  sentBlobs = 0;
  private readonly client: ServerClient;
  private readonly sessionId: SessionId;
  /** Nothing is sent before the keys of the period are durable on the server. */
  private readonly keyringStored: Promise<void>;
  private readonly underway = new Set<Promise<void>>();
  private failure: { readonly error: unknown } | null = null;

  constructor(client: ServerClient, sessionId: SessionId, keyringStored: Promise<void>) {
    this.client = client;
    this.sessionId = sessionId;
    this.keyringStored = keyringStored;
  }

  /** Resolves when the upload has begun; `release` is called when the parts are free again. */
  async send(parts: readonly Uint8Array[], blobs: number, release: () => void): Promise<void> {
    while (this.underway.size >= UPLOADS_MAX) await Promise.race(this.underway);
    this.throwFailure();
    const upload = this.upload(parts, blobs)
      .catch((error: unknown) => {
        this.failure ??= { error };
      })
      .finally(() => {
        this.underway.delete(upload);
        release();
      });
    this.underway.add(upload);
  }

  /** Resolves when everything that was sent is durable. */
  async settled(): Promise<void> {
    while (this.underway.size > 0) await Promise.race(this.underway);
    this.throwFailure();
  }

  throwFailure(): void {
    if (this.failure !== null) throw this.failure.error;
  }

  private async upload(parts: readonly Uint8Array[], blobs: number): Promise<void> {
    await this.keyringStored;
    await this.client.putPack(this.sessionId, newRandomId(), parts);
    for (const part of parts) this.sentBytes += part.length;
    this.sentBlobs += blobs;
  }
}
