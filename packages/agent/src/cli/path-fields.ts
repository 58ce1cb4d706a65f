import {
  byteStringFromText,
  bytesFromByteString,
  displayName,
  textFromByteString,
  type ByteString,
} from '@cofre/shared/bytes';

export interface PathFields {
  /** The path as text where it is text; else with escapes, for people. */
  readonly path: string;
  /** The bytes, where the text does not say them. */
  readonly path_base64?: string;
}

/** A path for programs: exact, whatever bytes it has. */
export function pathFields(path: ByteString): PathFields {
  const text = textFromByteString(path);
  // eslint-disable-next-line no-control-regex -- control characters are exactly what is looked for
  const isPlain = byteStringFromText(text) === path && !/[\u0000-\u001f\u007f-\u009f]/.test(text);
  if (isPlain) return { path: text };
  return { path: displayName(path), path_base64: bytesFromByteString(path).toString('base64') };
}

/** The absolute path of a catalog's one. */
export function absolutePath(path: ByteString): ByteString {
  return `/${path}` as ByteString;
}
