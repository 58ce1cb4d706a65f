import { readFileSync, readlinkSync } from 'node:fs';
import { byteStringFromBytes, byteStringFromText, type ByteString } from '@cofre/shared/bytes';

const REPLACEMENT = '\ufffd';

/**
 * The bytes of arguments that Node gives as text. Text that was no valid UTF-8 is lost in `process.argv`; Linux
 * still knows the bytes.
 */
export function bytesOfArguments(wanted: readonly string[]): ByteString[] {
  if (!wanted.some((argument) => argument.includes(REPLACEMENT))) return wanted.map(byteStringFromText);
  const texts = process.argv.slice(2);
  const bytes = commandLineBytes(texts.length);
  const used = new Set<number>();
  return wanted.map((argument) => {
    const index = texts.findIndex((text, at) => text === argument && !used.has(at));
    used.add(index);
    return bytes?.[index] ?? byteStringFromText(argument);
  });
}

/** The bytes of the folder in which the command was started. */
export function workingFolderBytes(): ByteString {
  const text = process.cwd();
  if (!text.includes(REPLACEMENT)) return byteStringFromText(text);
  try {
    return byteStringFromBytes(readlinkSync('/proc/self/cwd', { encoding: 'buffer' }));
  } catch {
    return byteStringFromText(text);
  }
}

/** The last `count` arguments of this process, or null where they cannot be had. */
function commandLineBytes(count: number): ByteString[] | null {
  try {
    const parts = byteStringFromBytes(readFileSync('/proc/self/cmdline')).split('\0') as ByteString[];
    parts.pop();
    return parts.slice(-count);
  } catch {
    return null;
  }
}
