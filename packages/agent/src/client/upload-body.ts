import { Readable } from 'node:stream';

/**
 * Pieces are small so that a slow line still shows progress before the idle limit: 256 KiB in a minute is slower
 * than any line that a backup can use.
 */
const PIECE_BYTES = 256 * 1024;

/** A body whose length is known before it is sent, and which can be sent again. */
export interface UploadBody {
  readonly lengthBytes: number;
  /** A new stream from the beginning; `onProgress` is called whenever the connection takes a piece. */
  open(onProgress: () => void): Readable;
}

/** The concatenation of `parts`, without joining them: they must stay unchanged until the upload is done. */
export function uploadOf(parts: readonly Uint8Array[]): UploadBody {
  return {
    lengthBytes: parts.reduce((sum, part) => sum + part.length, 0),
    open: (onProgress) => Readable.from(piecesOf(parts, onProgress), { highWaterMark: 1 }),
  };
}

function* piecesOf(parts: readonly Uint8Array[], onProgress: () => void): Generator<Uint8Array> {
  for (const part of parts) {
    for (let offset = 0; offset < part.length; offset += PIECE_BYTES) {
      yield part.subarray(offset, offset + PIECE_BYTES);
      onProgress();
    }
  }
}
