import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '@cofre/shared/hash';
import { removeFile, syncFolder, writeFileSynced } from '../../platform/durable-files.ts';
import type { ObjectSummary } from '../index/objects.store.ts';
import { objectPath } from '../layout.ts';
import type { VaultContext } from '../vault-context.ts';
import { planMending, readObject, type ObjectMending } from './object-mending.ts';
import { requireFolder } from './require-folder.ts';

/** Compares objects with their rows, and mends whichever of the two is altered or gone. */
export class ObjectScrubber {
  private readonly vault: VaultContext;

  constructor(vault: VaultContext) {
    this.vault = vault;
  }

  /** @returns what was done about it */
  async scrub(object: ObjectSummary): Promise<ObjectMending['action']> {
    const { bytes, isThere } = await readObject(
      this.vault.layout.file(objectPath(object.number, object.kind)),
    );
    const mending = planMending(object, bytes, isThere);
    if (mending.action === 'none') return mending.action;
    if (mending.action === 'rewrite_file') await this.rewrite(object, mending.bytes);
    const row =
      mending.action === 'mend_row' ? { sha256: sha256(mending.bytes), bytes: mending.bytes } : null;
    await this.vault.index.call('noteObjectDamage', {
      number: object.number,
      what: mending.what,
      nowMs: this.vault.nowMs(),
      isMended: mending.action !== 'impossible',
      row,
    });
    this.vault.crashPoint('mend-noted');
    return mending.action;
  }

  /**
   * Puts the bytes of the row into the file's place:
   *
   *     temporary file → fsync → rename over what is left of the old one → fsync of the folder → note
   *
   * Here `rename` is right, where everything else links: the name is the object's own and its row says what belongs
   * there, so that a process that ends anywhere leaves the damaged file or the whole one. What it leaves in the folder
   * for incoming files goes at the next start.
   */
  private async rewrite(object: ObjectSummary, bytes: Uint8Array): Promise<void> {
    const { layout } = this.vault;
    await requireFolder(layout.objects, this.vault.tenantId);
    this.vault.requireWritable();
    const temporary = join(layout.incoming, `${object.number}.mended`);
    await removeFile(temporary);
    // Synced before the rename: the name must never stand for other bytes than these.
    await writeFileSynced(temporary, bytes);
    this.vault.crashPoint('mend-synced');
    await rename(temporary, layout.file(objectPath(object.number, object.kind)));
    // Without this a power loss could bring the damaged file back after it was noted as mended.
    await syncFolder(layout.objects);
    this.vault.crashPoint('mend-renamed');
  }
}
