import { join } from 'node:path';
import { sha256 } from '@cofre/shared/hash';
import { publishFiles, removeFile, writeFileSynced } from '../../platform/durable-files.ts';
import { Semaphore } from '../../platform/semaphore.ts';
import type { NewObject } from '../index/objects.store.ts';
import { objectPath, type StoredKind } from '../layout.ts';
import type { VaultContext } from '../vault-context.ts';

/** An object before it has its number. */
export interface ObjectContent {
  readonly kind: StoredKind;
  readonly key: string;
  readonly deviceId: string | null;
  readonly bytes: Buffer;
}

/**
 * Puts immutable numbered objects into the store. One write at a time in a vault, so that numbers have the order of
 * acknowledgement: who has read up to a number has missed nothing below it.
 *
 *     intent rows → temporary files → fsync → link → fsync of the folder → rows → ack
 */
export class ObjectStore {
  private readonly vault: VaultContext;
  private readonly turn = new Semaphore(1);

  constructor(vault: VaultContext) {
    this.vault = vault;
  }

  /** Runs `task` while nothing else writes objects in this vault. */
  exclusively<Result>(task: () => Promise<Result>): Promise<Result> {
    return this.turn.run(task);
  }

  /**
   * Makes the objects durable and then calls `record`, which has to add their rows in one transaction. When that
   * fails, the objects are given up. To be called inside {@link exclusively}.
   */
  async publish<Result>(
    contents: readonly ObjectContent[],
    record: (objects: NewObject[]) => Promise<Result>,
  ): Promise<Result> {
    this.vault.requireWritable();
    const { numbers } = await this.vault.index.call('beginObjects', {
      objects: contents.map(({ kind, deviceId, bytes }) => ({
        kind,
        meteredBytes: deviceId === null ? 0 : bytes.length,
      })),
      nowMs: this.vault.nowMs(),
    });
    this.vault.crashPoint('object-intent');
    const objects = contents.map((content, place) => ({
      ...content,
      number: numbers[place] as number,
      sha256: sha256(content.bytes),
    }));
    const temporaries = objects.map(({ number }) => join(this.vault.layout.incoming, `${number}.object`));
    try {
      await this.writeFiles(objects, temporaries);
      const result = await record(objects);
      this.vault.crashPoint('object-recorded');
      for (const temporary of temporaries) await removeFile(temporary);
      return result;
    } catch (error) {
      const paths = objects.map(({ number, kind }) => objectPath(number, kind));
      await this.vault.abandon(error, paths, temporaries);
      throw error;
    }
  }

  private async writeFiles(objects: readonly NewObject[], temporaries: readonly string[]): Promise<void> {
    const { layout } = this.vault;
    for (const [place, object] of objects.entries()) {
      // Synced before it is linked: a name must never appear with other bytes behind it.
      await writeFileSynced(temporaries[place] as string, object.bytes);
    }
    this.vault.crashPoint('object-synced');
    const files = objects.map(({ number, kind }, place) => ({
      temporary: temporaries[place] as string,
      final: layout.file(objectPath(number, kind)),
    }));
    await publishFiles(files, layout.objects);
    this.vault.crashPoint('object-linked');
  }
}
