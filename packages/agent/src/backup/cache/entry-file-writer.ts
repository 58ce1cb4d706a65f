import fs from 'node:fs';
import { CachedEntryWriter, type CachedEntry } from './cached-entry.ts';
import { BlockWriter } from './record-blocks.ts';

/** Writes entries, in ascending order of their keys, into blocks that an {@link file://./entry-file.ts} reads. */
export class EntryFileWriter {
  readonly fd: number;
  readonly blocks: BlockWriter;
  private readonly entries: CachedEntryWriter;

  /** @param fd open for writing, and empty; whoever opened it closes it here */
  constructor(fd: number) {
    this.fd = fd;
    this.blocks = new BlockWriter(fd);
    this.entries = new CachedEntryWriter(this.blocks);
  }

  add(entry: CachedEntry): void {
    this.entries.add(entry);
  }

  /** What was added is in the file, for whoever reads it after this program was killed. */
  flush(): void {
    this.blocks.flush();
  }

  /** What was flushed is there after a power loss as well. */
  sync(): void {
    fs.fdatasyncSync(this.fd);
  }

  close(): void {
    fs.closeSync(this.fd);
  }
}
