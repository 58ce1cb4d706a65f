import { displayName, type ByteString } from '@cofre/shared/bytes';
import type { CatalogKey } from '@cofre/shared/catalog/catalog-key';
import { shownPathOf, type LostRange } from '@cofre/shared/catalog/lost-range';
import type { Invocation } from './invocation.ts';
import { absolutePath, pathFields } from './path-fields.ts';

/** Tells between which paths a snapshot has lost entries, while the rest goes on. */
export function reportLost(lost: LostRange, { output, say }: Pick<Invocation, 'output' | 'say'>): void {
  const { from, before, entryCount, nodeId, error } = lost;
  const first = shownPath(from);
  const behind = before === null ? null : shownPath(before);
  const fields = {
    code: error.code === 'unknown_format' ? 'unknown_format' : 'entries_lost',
    kind: 'entries-lost',
    entry_count: entryCount,
    from: pathFields(first),
    before: behind === null ? null : pathFields(behind),
    node_id: nodeId,
    detail: error.message,
  };
  const texts = { count: entryCount, from: displayName(first), detail: error.message };
  const text =
    behind === null
      ? say('entriesLostToEnd', texts)
      : say('entriesLost', { ...texts, before: displayName(behind) });
  output.problem('error', fields, text);
}

function shownPath(key: CatalogKey): ByteString {
  return absolutePath(shownPathOf(key));
}
