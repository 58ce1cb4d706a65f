import { accessSync, closeSync, constants, lstatSync, openSync, readdirSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { byteStringFromBytes, bytesFromByteString } from '@cofre/shared/bytes';
import type { ByteString } from '@cofre/shared/bytes';

const FOLDER_FLAGS = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/**
 * An open folder. What is in it is reached through the descriptor, so that no path grows beyond what the
 * kernel takes in one call, however deep the tree is. Linux only (`/proc`).
 */
export class TreeFolder {
  readonly descriptor: number;

  private constructor(descriptor: number) {
    this.descriptor = descriptor;
  }

  static open(path: string | Buffer): TreeFolder {
    return new TreeFolder(openSync(path, FOLDER_FLAGS));
  }

  /** A path of `name` in this folder for node:fs, valid while the folder is open. */
  at(name: ByteString): Buffer {
    return Buffer.concat([Buffer.from(`/proc/self/fd/${this.descriptor}/`), bytesFromByteString(name)]);
  }

  /** Throws EACCES also when it may be listed but not gone through: there is no way back from it either. */
  below(name: ByteString): TreeFolder {
    const folder = TreeFolder.open(this.at(name));
    try {
      accessSync(`/proc/self/fd/${folder.descriptor}/.`, constants.X_OK);
      return folder;
    } catch (error) {
      folder.close();
      throw error;
    }
  }

  above(): TreeFolder {
    return TreeFolder.open(`/proc/self/fd/${this.descriptor}/..`);
  }

  status(name: ByteString): BigIntStats {
    return lstatSync(this.at(name), { bigint: true });
  }

  names(): ByteString[] {
    const names = readdirSync(`/proc/self/fd/${this.descriptor}`, { encoding: 'buffer' });
    return names.map(byteStringFromBytes);
  }

  close(): void {
    closeSync(this.descriptor);
  }
}
