import { displayName, type ByteString } from '@cofre/shared/bytes';
import { CofreError } from '@cofre/shared/errors';

/**
 * The catalog path that somebody means: absolute, with or without the leading slash; doubled and trailing
 * slashes and `.` mean nothing, the root is `''`.
 * @throws CofreError `path_not_found` for `..` and NUL, which no catalog has
 */
export function catalogPathOf(path: ByteString): ByteString {
  const components = path.split('/').filter((component) => component !== '' && component !== '.');
  if (components.includes('..') || path.includes('\0')) refusePath(path);
  return components.join('/') as ByteString;
}

/** Says that a snapshot has no such path, which may come with or without the leading slash. */
export function refusePath(path: ByteString): never {
  throw new CofreError('path_not_found', { path: `/${displayName(path).replace(/^\/+/, '')}` });
}
