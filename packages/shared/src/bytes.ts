/**
 * A string in which every character is one byte (0x00–0xff, "latin1").
 *
 * Names on Linux are bytes, not text: they may hold invalid UTF-8. As byte strings they compare in byte
 * order with `<`, take one byte a character in V8, and survive unchanged. They are never shown to a person
 * without {@link displayName}.
 */
export type ByteString = string & { readonly byteString: unique symbol };

const encoder = new TextEncoder();
const lenientDecoder = new TextDecoder('utf-8', { fatal: false });

/** The bytes of `text` in UTF-8, as a byte string. */
export function byteStringFromText(text: string): ByteString {
  return byteStringFromBytes(encoder.encode(text));
}

/** A byte string of these bytes, copied. */
export function byteStringFromBytes(bytes: Uint8Array): ByteString {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1') as ByteString;
}

/** The bytes of a byte string, copied. */
export function bytesFromByteString(value: ByteString): Buffer {
  return Buffer.from(value, 'latin1');
}

/** The text of a byte string, invalid UTF-8 replaced: for matching and messages, not for opening files. */
export function textFromByteString(value: ByteString): string {
  return lenientDecoder.decode(bytesFromByteString(value));
}

/**
 * A name or path made safe to print: control characters, bidirectional overrides and invalid UTF-8 are
 * written as escapes, so that a hostile name can neither move a terminal's cursor nor disguise itself.
 */
export function displayName(value: ByteString): string {
  const text = textFromByteString(value);
  if (text.includes('\ufffd')) {
    return value.replace(/[^\x20-\x5b\x5d-\x7e]/g, (byte) => `\\x${hexByte(byte)}`);
  }
  return text.replace(/\\/g, '\\\\').replace(
    // eslint-disable-next-line no-control-regex -- control characters are exactly what is looked for
    /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
    (character) => `\\u{${character.codePointAt(0)?.toString(16) ?? ''}}`,
  );
}

function hexByte(byte: string): string {
  return byte.charCodeAt(0).toString(16).padStart(2, '0');
}
