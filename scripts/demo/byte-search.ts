import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Bytes to look for, and what they are. */
export interface Needle {
  readonly label: string;
  readonly bytes: Buffer;
}

export interface Finding {
  readonly file: string;
  readonly label: string;
  /** Of the first byte in the file; null when it stands in the name. */
  readonly offset: number | null;
}

export interface SearchResult {
  readonly files: number;
  readonly bytes: number;
  /** At most one of each needle in a file's content, and one in its name. */
  readonly findings: readonly Finding[];
}

const READ_BYTES = 1 << 22;
/** Bytes that stand before a text shift how base64 writes it: three ways in all. */
const BASE64_SHIFTS = [0, 1, 2] as const;

/**
 * A text in every form in which a program may have written it down: UTF-8, UTF-16 of both byte orders, hex, and
 * base64 of both alphabets, wherever the text stands in what was encoded.
 */
export function needlesOf(what: string, text: string): Needle[] {
  const utf8 = Buffer.from(text, 'utf8');
  const littleEndian = Buffer.from(text, 'utf16le');
  const forms: [form: string, bytes: Buffer][] = [
    ['UTF-8', utf8],
    ['UTF-16LE', littleEndian],
    ['UTF-16BE', Buffer.from(littleEndian).swap16()],
    ['hex', Buffer.from(utf8.toString('hex'))],
    ['hex, upper case', Buffer.from(utf8.toString('hex').toUpperCase())],
  ];
  for (const [name, bytes] of [
    ['base64', utf8],
    ['base64 of UTF-16LE', littleEndian],
  ] as const) {
    for (const shift of BASE64_SHIFTS) {
      const standard = base64Inside(bytes, shift);
      forms.push([name, Buffer.from(standard)]);
      const urlSafe = standard.replaceAll('+', '-').replaceAll('/', '_');
      if (urlSafe !== standard) forms.push([name, Buffer.from(urlSafe)]);
    }
  }
  return forms.map(([form, bytes]) => ({ label: `${what} as ${form}`, bytes }));
}

/** The characters that depend on `bytes` alone when `shift` other bytes stand before them, and any behind. */
function base64Inside(bytes: Buffer, shift: number): string {
  const text = Buffer.concat([Buffer.alloc(shift), bytes])
    .toString('base64')
    .replace(/=+$/, '');
  const first = shift === 0 ? 0 : shift + 1;
  const last = Math.floor(((shift + bytes.length) * 8) / 6);
  return text.slice(first, last);
}

/**
 * Looks for needles in all bytes and all names below some folders; a plain file may be given, too.
 * @throws the error of the file system when something cannot be read: not looked at is not clean
 */
export async function searchTrees(
  roots: readonly string[],
  needles: readonly Needle[],
): Promise<SearchResult> {
  const result = { files: 0, bytes: 0, findings: [] as Finding[] };
  for (const root of roots) {
    for await (const { path, name, isFile } of entriesBelow(root)) {
      for (const { label, bytes } of needles) {
        if (Buffer.from(name).includes(bytes)) result.findings.push({ file: path, label, offset: null });
      }
      if (!isFile) continue;
      result.files += 1;
      result.bytes += await searchFile(path, needles, result.findings);
    }
  }
  return result;
}

async function* entriesBelow(root: string): AsyncGenerator<{ path: string; name: string; isFile: boolean }> {
  const entries = await readdir(root, { withFileTypes: true }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return null;
    throw error;
  });
  if (entries === null) yield { path: root, name: '', isFile: true };
  for (const entry of entries ?? []) {
    const path = join(root, entry.name);
    yield { path, name: entry.name, isFile: entry.isFile() };
    if (entry.isDirectory()) yield* entriesBelow(path);
  }
}

async function searchFile(file: string, needles: readonly Needle[], findings: Finding[]): Promise<number> {
  const overlap = Math.max(0, ...needles.map(({ bytes }) => bytes.length - 1));
  const missing = new Set(needles);
  let read = 0;
  let window = Buffer.alloc(0);
  for await (const piece of createReadStream(file, { highWaterMark: READ_BYTES }) as AsyncIterable<Buffer>) {
    window = Buffer.concat([window.subarray(Math.max(0, window.length - overlap)), piece]);
    read += piece.length;
    for (const needle of missing) {
      const at = window.indexOf(needle.bytes);
      if (at === -1) continue;
      missing.delete(needle);
      findings.push({ file, label: needle.label, offset: read - window.length + at });
    }
  }
  return read;
}
