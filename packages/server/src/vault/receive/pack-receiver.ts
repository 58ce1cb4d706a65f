import { open, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { CofreError } from '@cofre/shared/errors';
import type { BlobType } from '@cofre/shared/format/envelope/blob';
import type { DomainId, SessionId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import type { PackStored } from '@cofre/shared/wire/sessions';
import { publishFiles, removeFile, syncFile } from '../../platform/durable-files.ts';
import { isOutOfSpace } from '../../platform/storage-failure.ts';
import type { InSession } from '../index/sessions.store.ts';
import { packPath } from '../layout.ts';
import type { Caller, IncomingPack } from '../vault.ts';
import type { VaultContext } from '../vault-context.ts';
import { PackChecker, packKindCode, type CheckedPack } from './pack-checker.ts';

/** Bytes that are gathered before they are written: fewer calls, and still little memory. */
const WRITE_BYTES = 512 * 1024;

/**
 * Takes packs in. Nothing is acknowledged before it would survive a power loss:
 *
 *     intent row → temporary file → check and hash while it streams → fsync → link → fsync of the folder → rows → ack
 */
export class PackReceiver {
  private readonly vault: VaultContext;

  constructor(vault: VaultContext) {
    this.vault = vault;
  }

  /** @throws CofreError of the session, `over_quota`, `storage_full`, `pack_invalid`, `too_large` */
  async receive(caller: Caller, sessionId: SessionId, pack: IncomingPack): Promise<PackStored> {
    try {
      return await this.vault.runUpload(pack.lengthBytes, () => this.receiveNow(caller, sessionId, pack));
    } finally {
      // Whatever was not read flows away: the answer has to reach a client that is still sending.
      pack.body.resume();
    }
  }

  private async receiveNow(caller: Caller, sessionId: SessionId, pack: IncomingPack): Promise<PackStored> {
    if (pack.lengthBytes > LIMITS.packBytesMax) {
      throw new CofreError('too_large', { what: 'A pack', limit: `${LIMITS.packBytesMax} bytes` });
    }
    const inSession: InSession = { sessionId, deviceId: caller.deviceId, nowMs: this.vault.nowMs() };
    const begun = await this.vault.index.call('beginPack', {
      ...inSession,
      operationId: pack.operationId,
      lengthBytes: pack.lengthBytes,
    });
    if (begun.status === 'known') return begun.answer;
    this.vault.crashPoint('pack-intent');
    const path = packPath(begun.number);
    const temporary = join(this.vault.layout.incoming, `${begun.number}.pack`);
    const refuseContent = (type: BlobType): void => {
      if (type === 'data' && begun.contentRefusal !== null) {
        throw new CofreError('over_quota', begun.contentRefusal);
      }
    };
    try {
      const checker = new PackChecker(pack.lengthBytes, begun.domainId as DomainId, refuseContent);
      await this.writeTemporary(temporary, pack, checker, inSession);
      const answer = await this.publish(inSession, pack, begun.number, checker.finish());
      await removeFile(temporary);
      return answer;
    } catch (error) {
      await this.vault.abandon(error, [path], [temporary]);
      throw error;
    }
  }

  /** Writes and syncs the temporary file while the checker sees each byte once. */
  private async writeTemporary(
    temporary: string,
    pack: IncomingPack,
    checker: PackChecker,
    inSession: InSession,
  ): Promise<void> {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await this.writeChecked(file, pack, checker, inSession);
      this.vault.crashPoint('pack-written');
      // Without this the pack could be acknowledged while its bytes are only in memory.
      await syncFile(file, temporary);
      this.vault.crashPoint('pack-synced');
    } finally {
      await file.close();
    }
  }

  private async writeChecked(
    file: FileHandle,
    { body, giveBack }: IncomingPack,
    checker: PackChecker,
    inSession: InSession,
  ): Promise<void> {
    let writing: Promise<unknown> = Promise.resolve();
    let gathered: Buffer[] = [];
    let gatheredBytes = 0;
    const keepAlive = this.leaseKeeper(inSession);
    const flush = async (): Promise<void> => {
      const buffers = gathered;
      gathered = [];
      gatheredBytes = 0;
      await writing;
      if (buffers.length > 0) writing = writeAll(file, buffers).then(() => giveBack?.(buffers));
      // Its failure is thrown by whoever awaits it next.
      writing.catch(() => undefined);
    };
    try {
      for await (const piece of piecesOf(body)) {
        checker.push(piece);
        gathered.push(piece);
        gatheredBytes += piece.length;
        if (gatheredBytes >= WRITE_BYTES) {
          await flush();
          await keepAlive();
        }
      }
      await flush();
    } finally {
      await writing;
    }
  }

  /** A slow upload must not lose its session while it is at it. */
  private leaseKeeper(inSession: InSession): () => Promise<void> {
    let renewedMs = inSession.nowMs;
    return async () => {
      const nowMs = this.vault.nowMs();
      if (nowMs - renewedMs < LIMITS.sessionLeaseMs / 4) return;
      renewedMs = nowMs;
      await this.vault.index.call('renewSession', { ...inSession, nowMs });
    };
  }

  private async publish(
    inSession: InSession,
    pack: IncomingPack,
    number: number,
    checked: CheckedPack,
  ): Promise<PackStored> {
    const { layout, folders } = this.vault;
    const path = packPath(number);
    const final = layout.file(path);
    const folder = dirname(final);
    await folders.make(folder);
    await publishFiles([{ temporary: join(layout.incoming, `${number}.pack`), final }], folder);
    this.vault.crashPoint('pack-linked');
    const { answer, isSuperseded } = await this.vault.index.call('recordPack', {
      ...inSession,
      nowMs: this.vault.nowMs(),
      number,
      operationId: pack.operationId,
      lengthBytes: pack.lengthBytes,
      ...checked,
      kind: packKindCode(checked.kind),
    });
    this.vault.crashPoint('pack-recorded');
    // The same operation came twice at once and the other one was first: its answer is true, this file is not needed.
    if (isSuperseded) await this.vault.discardFiles([path]);
    return answer;
  }
}

/** The stream's pieces; leaving the loop early does not destroy it. */
async function* piecesOf(body: Readable): AsyncGenerator<Buffer> {
  try {
    yield* body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  } catch (error) {
    if (isOutOfSpace(error)) throw error;
    throw new CofreError('pack_invalid', { problem: 'it was cut off on its way' }, { cause: error });
  }
}

async function writeAll(file: FileHandle, buffers: Buffer[]): Promise<void> {
  const length = buffers.reduce((sum, { length: bytes }) => sum + bytes, 0);
  const { bytesWritten } = await file.writev(buffers);
  // A full disk shortens a write before it fails one.
  if (bytesWritten < length) await file.writeFile(Buffer.concat(buffers).subarray(bytesWritten));
}
