import type { ByteString } from '@cofre/shared/bytes';
import { CatalogBuilder } from '@cofre/shared/catalog/catalog-builder';
import { catalogKey } from '@cofre/shared/catalog/catalog-key';
import { encodeEntryMetadata } from '@cofre/shared/catalog/entry-codec';
import { referenceContent } from '@cofre/shared/catalog/content-list';
import type { EncodedNode } from '@cofre/shared/catalog/node';
import type { Slice } from '@cofre/shared/format/entry';
import { sha256 } from '@cofre/shared/hash';
import type { ChunkId } from '@cofre/shared/ids';
import { SMALL_ENTRY } from '../../builders/format-samples.ts';
import { domain } from './vector-keys.ts';

interface CutTask {
  readonly about: string;
  readonly paths: readonly string[];
}

/** Paths of many files in a few folders, in the order of a catalog. */
function manyPaths(folders: number, files: number): string[] {
  const names = (count: number, width: number) =>
    Array.from({ length: count }, (_, index) => String(index).padStart(width, '0'));
  return names(folders, 3).flatMap((folder) =>
    names(files, 5).map((file) => `folder ${folder}/file ${file}.txt`),
  );
}

/**
 * Where catalogs and lists are cut. A reader needs none of it; a writer that cuts elsewhere makes good catalogs that
 * share nothing with earlier ones.
 */
export function makeCutVectors() {
  const tasks: CutTask[] = [
    { about: 'nothing', paths: [] },
    { about: 'one file', paths: ['a.txt'] },
    { about: '3 folders of 400 files', paths: manyPaths(3, 400) },
    { about: '40 folders of 500 files', paths: manyPaths(40, 500) },
  ];
  return {
    catalogCutKey: domain.catalogCutKey,
    catalogs: tasks.map(cutCatalog),
    lists: [200, 5000].map(cutList),
  };
}

/** The nodes in the order in which they come, by their ids; the last one is the root. */
function cutCatalog({ about, paths }: CutTask) {
  const nodeIds: ChunkId[] = [];
  const builder = new CatalogBuilder(domain.catalogCutKey, (type, node) => {
    nodeIds.push(idOf(type, node));
    return nodeIds.at(-1) as ChunkId;
  });
  const metadata = encodeEntryMetadata({ ...SMALL_ENTRY, type: 'file' });
  for (const path of paths) builder.add({ key: catalogKey(path as ByteString), metadata, content: [] });
  return {
    about,
    first: paths[0],
    last: paths.at(-1),
    entries: paths.length,
    root: builder.finish(),
    nodeIds,
  };
}

/** Slices 0 … count − 1: the chunk's id is SHA-256 of "chunk N", the offset 0, the length N + 1. */
function cutList(count: number) {
  const slices: Slice[] = Array.from({ length: count }, (_, number) => ({
    chunkId: sha256(Buffer.from(`chunk ${number}`)).toString('hex') as ChunkId,
    offset: 0,
    length: number + 1,
  }));
  const nodeIds: ChunkId[] = [];
  const reference = referenceContent(slices, (type, node) => {
    nodeIds.push(idOf(type, node));
    return nodeIds.at(-1) as ChunkId;
  });
  return { count, reference, nodeIds };
}

function idOf(type: 'catalog' | 'list', { table, plaintext }: EncodedNode): ChunkId {
  return domain.nodeId(type, table, plaintext);
}
