import type { PendingFile } from './bundler.ts';
import type { FileResult } from './pipeline/job-result.ts';
import { findOpenProblem } from './pipeline/store-files.ts';
import type { FileStore } from './source-scan.ts';
import { FINGERPRINT_BYTES } from './fingerprint.ts';

const NO_BYTES = Buffer.alloc(0);
const NO_FINGERPRINT = Buffer.alloc(FINGERPRINT_BYTES);

/** Stands in for the workers in a dry run: sees whether a file could be read, and reads nothing of it. */
export class UnreadFiles implements FileStore {
  async storeBundle(files: readonly PendingFile[]): Promise<FileResult[]> {
    return files.map(resultFor);
  }

  async storeLarge(file: PendingFile): Promise<FileResult> {
    return resultFor(file);
  }
}

function resultFor({ path, status }: PendingFile): FileResult {
  const { inode, deviceId, sizeBytes } = status;
  const problem = findOpenProblem({ path, inode, deviceId });
  if (problem !== null) return problem;
  return {
    kind: 'stored',
    fingerprint: NO_FINGERPRINT,
    metadata: NO_BYTES,
    attributeProblem: '',
    slices: [],
    sizeBytes,
    changedWhileRead: false,
    isReplaced: false,
  };
}
