import { byteStringFromText, displayName } from '@cofre/shared/bytes';

/** Where a command writes: what was asked for to standard output, everything else to standard error. */
export interface Output {
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WriteStream;
}

/** A line of `--json`: keys in snake_case, as in the agent's. They change by addition only. */
export function printJson(output: Output, messageType: 'summary' | 'error', content: object): void {
  printLine(output, JSON.stringify({ message_type: messageType, ...(snakeCase(content) as object) }));
}

/** For people: a line of what was asked for. */
export function printLine(output: Output, line: string): void {
  output.stdout.write(`${line}\n`);
}

/** Columns as wide as their widest cell, numbers at the right. Cells hold no name that was not made safe. */
export function printTable(
  output: Output,
  titles: readonly string[],
  rows: readonly (string | number)[][],
): void {
  const lines = [titles, ...rows.map((row) => row.map(String))];
  const widths = titles.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const isNumber = titles.map((_, column) => typeof rows[0]?.[column] === 'number');
  for (const line of lines) {
    const cells = line.map((cell, column) => {
      const width = widths[column] ?? 0;
      return isNumber[column] === true ? cell.padStart(width) : cell.padEnd(width);
    });
    printLine(output, cells.join('  ').trimEnd());
  }
}

/** A name that somebody chose, made safe for a terminal. */
export function safeName(name: string): string {
  return displayName(byteStringFromText(name));
}

/** Shows on a terminal how far it is; writes nothing else, so that logs stay clean. */
export function progressOf({ stderr }: Output): (bytes: number) => void {
  if (!stderr.isTTY) return () => undefined;
  let shown = '';
  return (bytes) => {
    const text = formatBytes(bytes);
    if (text !== shown) stderr.write(`\r${text} read\u001b[K`);
    shown = text;
  };
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** Bytes for people, such as `12.3 MiB`. */
export function formatBytes(bytes: number): string {
  const unit = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), UNITS.length - 1);
  const value = bytes / 1024 ** unit;
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`;
}

function snakeCase(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snakeCase);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      snakeCase(inner),
    ]),
  );
}
