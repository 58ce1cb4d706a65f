import { byteStringFromBytes, bytesFromByteString, type ByteString } from '../bytes.ts';
import { RecordReader, RecordWriter } from '../encoding/record.ts';

/** What only the customer may know about a snapshot: it is sealed into the manifest as a blob `info`. */
export interface SnapshotInfo {
  readonly setName: string;
  readonly hostName: string;
  /** Absolute paths that were backed up. */
  readonly roots: readonly ByteString[];
  readonly excludes: readonly string[];
  /** What could not be read, at most some hundred of them, each with its code. */
  readonly failures: readonly { readonly path: ByteString; readonly reason: string }[];
}

/** The plaintext of a blob of type `info`. */
export function encodeSnapshotInfo(info: SnapshotInfo): Buffer {
  return new RecordWriter()
    .text(1, true, info.setName)
    .text(2, true, info.hostName)
    .build(3, true, (target) => {
      for (const root of info.roots) target.sizedLatin1(root);
    })
    .build(4, false, (target) => {
      for (const exclude of info.excludes) target.sized(Buffer.from(exclude, 'utf8'));
    })
    .build(5, false, (target) => {
      for (const { path, reason } of info.failures) {
        target.sized(bytesFromByteString(path)).sized(Buffer.from(reason, 'utf8'));
      }
    })
    .take();
}

/** @throws CofreError `damaged`, `unknown_format` */
export function decodeSnapshotInfo(plaintext: Uint8Array): SnapshotInfo {
  const record = new RecordReader(plaintext, 'A snapshot info');
  const setName = record.text(1);
  const hostName = record.text(2);
  const roots: ByteString[] = [];
  const rootReader = record.reader(3);
  while (rootReader.remaining > 0) roots.push(rootReader.sizedLatin1(rootReader.remaining));
  const excludes: string[] = [];
  const excludeReader = record.optionalReader(4);
  while (excludeReader !== null && excludeReader.remaining > 0) {
    excludes.push(excludeReader.sizedText(excludeReader.remaining));
  }
  const failures: { path: ByteString; reason: string }[] = [];
  const failureReader = record.optionalReader(5);
  while (failureReader !== null && failureReader.remaining > 0) {
    const path = byteStringFromBytes(failureReader.sized(failureReader.remaining));
    failures.push({ path, reason: failureReader.sizedText(failureReader.remaining) });
  }
  record.close();
  return { setName, hostName, roots, excludes, failures };
}
