import { catalogKey, pathOfKey } from '@cofre/shared/catalog/catalog-key';
import type { ByteString } from '@cofre/shared/bytes';
import { expect, test } from 'vitest';
import type { EntrySource } from './cache/entry-file.ts';
import type { CachedEntry } from './cache/set-cache.ts';
import { FINGERPRINT_BYTES } from './fingerprint.ts';
import { KnownEntries, type KnownParts } from './known-entries.ts';

/** `path@version`: another version has another fingerprint. */
function source(...entries: string[]): EntrySource {
  const all = entries.map((text): CachedEntry => {
    const [path = '', version = '1'] = text.split('@');
    const fingerprint = Buffer.alloc(FINGERPRINT_BYTES, Number(version));
    const key = catalogKey(path as ByteString);
    return { key, fingerprint, metadata: Buffer.from(text), hardLinkTo: '', slices: [] };
  });
  all.sort((a, b) => (a.key < b.key ? -1 : 1));
  return {
    *entries() {
      yield* all;
    },
    find: (key) => all.find((entry) => entry.key === key) ?? null,
  };
}

function known(parts: Partial<KnownParts>): KnownEntries {
  const isUsable = ({ metadata }: CachedEntry): boolean => !metadata.toString().includes('unsent');
  return new KnownEntries({
    journal: null,
    last: null,
    full: null,
    readsEverything: false,
    isUsable,
    ...parts,
  });
}

function told(entries: KnownEntries): string[] {
  return [...entries.entries()].map(
    ({ metadata, isOutdated, sinceLast }) =>
      `${metadata.toString()}${isOutdated === true ? ' outdated' : ''}${sinceLast === undefined ? '' : ` ${sinceLast}`}`,
  );
}

test('what an interrupted run read goes before what the last one had, where the server has it', () => {
  const last = source('a@1', 'b@1', 'c@1', 'unsent@1');
  const journal = source('a@1', 'b@2', 'bb@1', 'unsent@2', 'unsent2@1');
  expect(told(known({ last, journal }))).toEqual(['a@1', 'b@2 changed', 'bb@1 new', 'c@1', 'unsent@1']);
});

test('a differential run takes from the last one what has not changed since the full one', () => {
  const last = source('a@1', 'b@2', 'new@1');
  const full = source('a@1', 'b@1', 'gone@1');
  const journal = source('b@2');
  expect(told(known({ last, full }))).toEqual(['a@1', 'b@2 outdated', 'gone@1', 'new@1 outdated']);
  expect(told(known({ last, full, journal }))).toEqual(['a@1', 'b@2', 'gone@1', 'new@1 outdated']);
});

test('a full run takes nothing but what it read itself, and knows the rest', () => {
  const [last, journal] = [source('a@1', 'b@1'), source('b@1')];
  expect(told(known({ last, journal, readsEverything: true }))).toEqual(['a@1 outdated', 'b@1']);
});

test('a single entry is found in the same order', () => {
  const entries = known({ last: source('a@1', 'unsent@1'), journal: source('a@2', 'unsent@2') });
  const find = (path: string) => entries.find(catalogKey(path as ByteString))?.metadata.toString();
  expect([find('a'), find('unsent'), find('none')]).toEqual(['a@2', 'unsent@1', undefined]);
  expect([...entries.entries()].map(({ key }) => pathOfKey(key))).toEqual(['a', 'unsent']);
});
