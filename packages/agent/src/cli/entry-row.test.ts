import { byteStringFromText, type ByteString } from '@cofre/shared/bytes';
import type { EntryMetadata } from '@cofre/shared/catalog/entry-codec';
import { expect, test } from 'vitest';
import { entryFields, entryLine, isoTime } from './entry-row.ts';

const file: EntryMetadata = { type: 'file', mode: 0o644, uid: 0, gid: 7, mtimeNs: 1_000_000_001n, size: 12 };

test.each([
  [0n, '1970-01-01T00:00:00.000000000Z'],
  [1n, '1970-01-01T00:00:00.000000001Z'],
  [-1n, '1969-12-31T23:59:59.999999999Z'],
  [4_102_444_800_123_456_789n, '2100-01-01T00:00:00.123456789Z'],
])('%s ns are %s', (ns, text) => {
  expect(isoTime(ns)).toBe(text);
});

test('a time beyond the calendar is null, and does not stop a listing', () => {
  const beyond = { ...file, mtimeNs: 2n ** 90n };
  expect(entryFields('a' as ByteString, beyond)).toMatchObject({ path: '/a', mtime: null });
  expect(entryLine('a' as ByteString, beyond)).toContain('/a');
});

test.each([
  [{ mode: 0o755 }, '-rwxr-xr-x'],
  [{ mode: 0o4755 }, '-rwsr-xr-x'],
  [{ mode: 0o2644 }, '-rw-r-Sr--'],
  [{ type: 'directory' as const, mode: 0o1777 }, 'drwxrwxrwt'],
  [{ type: 'fifo' as const, mode: 0 }, 'p---------'],
])('%j is shown as %s', (changes, letters) => {
  expect(entryLine('a' as ByteString, { ...file, ...changes }).slice(0, 10)).toBe(letters);
});

test('hostile names cannot disguise a line', () => {
  const link = { ...file, type: 'symlink' as const, linkTarget: byteStringFromText('x\u001b[2K') };
  const line = entryLine(byteStringFromText('a\nb'), { ...link, userName: 'u\r' });
  // eslint-disable-next-line no-control-regex -- control characters are exactly what is looked for
  expect(line).not.toMatch(/[\u0000-\u001f]/);
  expect(line).toContain('/a\\u{a}b -> x\\u{1b}[2K');
});
