import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';

const FILE = 'ratchet.json';

/**
 * Holds a rule that old code breaks: what `ratchet.json` lists under `rule` is forgiven, anything else is not, and an
 * entry that is no longer needed must be taken out. So the list only ever shrinks.
 */
export function expectOnlyShrinking(rule: string, violations: string[]): void {
  const lists = JSON.parse(readFileSync(join(import.meta.dirname, FILE), 'utf8')) as Record<string, string[]>;
  const forgiven = new Set(lists[rule]);
  const found = new Set(violations);
  const added = [...found].filter((violation) => !forgiven.has(violation));
  const mended = [...forgiven].filter((violation) => !found.has(violation));
  expect(added, `new violations of the rule "${rule}": mend them`).toEqual([]);
  expect(mended, `no longer violations of the rule "${rule}": take them out of test/house/${FILE}`).toEqual(
    [],
  );
}
