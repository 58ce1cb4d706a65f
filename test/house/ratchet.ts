import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';

const FILE = join(import.meta.dirname, 'ratchet.json');

/**
 * Holds a rule that old code breaks: what `ratchet.json` lists under `rule` is forgiven, anything else is not, and an
 * entry that is no longer needed must be taken out. So the list only ever shrinks.
 *
 * `COFRE_RATCHET=rewrite pnpm house` lists what is broken now. It is for the day on which a rule is introduced, and
 * for taking out what is mended; a review sees when it let a list grow.
 */
export function expectOnlyShrinking(rule: string, violations: string[]): void {
  const lists = JSON.parse(readFileSync(FILE, 'utf8')) as Record<string, string[]>;
  if (process.env['COFRE_RATCHET'] === 'rewrite') {
    writeFileSync(FILE, `${JSON.stringify({ ...lists, [rule]: violations.toSorted() }, null, 2)}\n`);
    return;
  }
  const forgiven = new Set(lists[rule]);
  const found = new Set(violations);
  const added = [...found].filter((violation) => !forgiven.has(violation));
  const mended = [...forgiven].filter((violation) => !found.has(violation));
  expect(added, `new violations of the rule "${rule}": mend them`).toEqual([]);
  expect(mended, `no longer violations of "${rule}": take them out of test/house/ratchet.json`).toEqual([]);
}
