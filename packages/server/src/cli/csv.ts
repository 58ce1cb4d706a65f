/**
 * A table as RFC 4180 has it: lines end in CR LF, and a field with a comma, a quote or an end of line is quoted.
 *
 * A text that a spreadsheet would take for a formula gets an apostrophe before it, so that opening the file runs
 * nothing. Numbers stay numbers.
 */
export function csvOf(titles: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  return [titles, ...rows].map((row) => `${row.map(fieldOf).join(',')}\r\n`).join('');
}

function fieldOf(value: string | number): string {
  if (typeof value === 'number') return String(value);
  const harmless = /^\s*[=+\-@|]|^[\t\r\n]/u.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
