import { CofreError } from '@cofre/shared/errors';
import { freeBytes } from '../platform/disk-space.ts';

/**
 * The room on the store's file system. Uploads leave a headroom free, so that commits, deletes and reads go on when
 * it is full.
 */
export class StoreSpace {
  private readonly folder: string;
  private readonly headroomBytes: number;
  private arrivingBytes = 0;

  constructor(folder: string, headroomBytes: number) {
    this.folder = folder;
    this.headroomBytes = headroomBytes;
  }

  /**
   * Runs a write of up to `lengthBytes`, counted as arriving until it ends.
   * @param headroomBytes what it leaves free, if that is less than uploads leave: for what gives space back
   * @throws CofreError `storage_full`
   */
  async run<Result>(
    lengthBytes: number,
    write: () => Promise<Result>,
    headroomBytes = this.headroomBytes,
  ): Promise<Result> {
    this.arrivingBytes += lengthBytes;
    try {
      const free = await freeBytes(this.folder);
      const leftBytes = Math.min(headroomBytes, this.headroomBytes);
      if (free - this.arrivingBytes < leftBytes) throw new CofreError('storage_full');
      return await write();
    } finally {
      this.arrivingBytes -= lengthBytes;
    }
  }
}
