import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import type { ByteString } from '@cofre/shared/bytes';
import type { Entry } from '@cofre/shared/format/entry';
import { openRestoreTarget } from './disk-target.ts';
import { writeWholeFile } from './file-writer.ts';
import type { FilePlace } from './target.ts';

const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
const folderEntry: Entry = { type: 'directory', mode: 0o755, ...owner, mtimeNs: 0n, size: 0 };
const fileEntry: Entry = { ...folderEntry, type: 'file', mode: 0o644, size: 3 };

it('files are written into their own folders, however many folders have files under way', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'cofre-target-folders-'));
  const options = { existing: 'refuse', owners: 'leave', devices: false, setuid: false } as const;
  const target = openRestoreTarget(folder, options);
  try {
    const places: FilePlace[] = [];
    for (let number = 100; number < 500; number++) {
      target.add(`folder-${number}` as ByteString, folderEntry);
      places.push(target.placeFile(`folder-${number}/file` as ByteString, fileEntry) as FilePlace);
    }
    for (const place of places) {
      const problems = writeWholeFile(place, [
        { bytes: Buffer.from(place.path.slice(7, 10)), fileOffset: 0 },
      ]);
      target.fileDone(place, problems);
    }
    expect(target.finish()).toMatchObject({ files: 400, folders: 400, complete: true });
    for (let number = 100; number < 500; number++) {
      expect(readFileSync(path.join(folder, `folder-${number}/file`), 'utf8')).toBe(String(number));
    }
  } finally {
    target.close();
    rmSync(folder, { recursive: true });
  }
});
