import { join } from 'node:path';
import type { VerifyFinding } from '@cofre/shared/wire/administration';
import { namesIn } from '../../platform/names-in.ts';
import type { PackChunk, PackRow } from '../index/verify.store.ts';
import type { VaultRow } from '../index/vault.store.ts';
import { numberOfFile, objectPath, packPath } from '../layout.ts';
import type { VaultContext } from '../vault-context.ts';
import { ChainVerifier } from './chain-verifier.ts';
import { ObjectVerifier } from './object-verifier.ts';
import { PackVerifier, type PackProblem } from './pack-verifier.ts';

const BATCH_PACKS = 100;
const BATCH_CHUNKS = 2_000;
const BATCH_OBJECTS = 50;
const BATCH_CHAINS = 100;
const AFFECTED_MAX = 100;

interface UnheldStep {
  readonly forgotten: number;
  readonly misheld: number;
  readonly last: number | null;
}

/**
 * Walks a whole vault while it goes on working and names what is wrong: packs against their hashes and rows, files
 * without rows, objects, the refsets of all chains, the counters. It changes nothing.
 */
export class VaultVerifier {
  private readonly vault: VaultContext;
  private readonly onProgress: (bytes: number) => void;

  constructor(vault: VaultContext, onProgress: (bytes: number) => void) {
    this.vault = vault;
    this.onProgress = onProgress;
  }

  async *verify(): AsyncGenerator<VerifyFinding> {
    yield* this.verifyIndex();
    yield* this.verifyPacks();
    yield* this.verifyFiles();
    yield* this.verifyObjects();
    yield* this.verifyChains();
    yield* this.verifyLoose();
  }

  /** What SQLite itself finds wrong with the database: then what else is found may be wrong too. */
  private async *verifyIndex(): AsyncGenerator<VerifyFinding> {
    for (const problem of await this.vault.index.check()) {
      yield { ...this.finding('index_damaged', `the index of the vault: ${problem}`), remedy: 'rebuild' };
    }
  }

  private async *verifyPacks(): AsyncGenerator<VerifyFinding> {
    const before = await this.describe();
    const verifier = new PackVerifier(this.onProgress);
    const counter = { bytes: 0 };
    for await (const pack of this.packs()) {
      const path = this.vault.layout.file(packPath(pack.number));
      const problems: PackProblem[] = [];
      for await (const problem of verifier.verify(path, pack, this.chunksOf(pack, counter))) {
        problems.push(problem);
      }
      yield* this.confirmed(pack, problems);
    }
    const after = await this.describe();
    // A new pack may hold chunks that were counted in the one that they were in before.
    const wasQuiet =
      before?.usedBytes === after?.usedBytes &&
      before?.generation === after?.generation &&
      before?.nextPack === after?.nextPack;
    if (wasQuiet && after !== null && after.usedBytes !== counter.bytes) {
      yield this.finding(
        'used_miscounted',
        `${after.usedBytes} bytes are counted instead of ${counter.bytes}`,
      );
    }
  }

  /** Those problems of a pack that are there still: chunks may have moved, or been dropped, while it was read. */
  private async *confirmed(pack: PackRow, problems: readonly PackProblem[]): AsyncGenerator<VerifyFinding> {
    if (problems.length === 0) return;
    const offsets = problems.map(({ offset }) => offset).filter((offset) => offset !== null);
    const now = await this.vault.index.call('lookAtPack', { pack: pack.number, offsets });
    const places = new Set(now.offsets);
    for (const { code, detail, offset, isWarning, remedy } of problems) {
      if (now.pack === null || (offset !== null && !places.has(offset))) continue;
      if (code === 'pack_miscounted' && now.pack.deadBytes !== pack.deadBytes) continue;
      const isOfChunks = code !== 'pack_needs_rewrite' && isWarning !== true;
      const asked = { pack: pack.number, offset, limit: AFFECTED_MAX };
      const affected = isOfChunks ? await this.vault.index.call('listSnapshotsNeeding', asked) : [];
      yield { ...this.finding(code, detail, affected), ...defined({ isWarning, remedy }) };
    }
  }

  private async *packs(): AsyncGenerator<PackRow> {
    for (let after = 0; ;) {
      const rows = await this.vault.index.call('listPacks', { after, limit: BATCH_PACKS });
      yield* rows;
      const last = rows.at(-1);
      if (last === undefined) return;
      after = last.number;
    }
  }

  private async *chunksOf(pack: PackRow, counter: { bytes: number }): AsyncGenerator<PackChunk> {
    for (let after = -1; ;) {
      const rows = await this.vault.index.call('listPackChunks', {
        pack: pack.number,
        after,
        limit: BATCH_CHUNKS,
      });
      for (const row of rows) {
        counter.bytes += row.length;
        yield row;
      }
      const last = rows.at(-1);
      if (last === undefined) return;
      after = last.offset;
    }
  }

  /** Files that nothing knows: harmless, but nothing here makes them. */
  private async *verifyFiles(): AsyncGenerator<VerifyFinding> {
    for (const folder of await namesIn(this.vault.layout.packs)) {
      const names = await namesIn(join(this.vault.layout.packs, folder));
      yield* this.unknownFiles('packs', `packs/${folder}`, names);
    }
    yield* this.unknownFiles('objects', 'objects', await namesIn(this.vault.layout.objects));
  }

  private async *unknownFiles(
    table: 'packs' | 'objects',
    folder: string,
    names: readonly string[],
  ): AsyncGenerator<VerifyFinding> {
    for (let start = 0; start < names.length; start += BATCH_CHUNKS) {
      const files = names.slice(start, start + BATCH_CHUNKS).map((name) => ({
        number: numberOfFile(name),
        path: `${folder}/${name}`,
      }));
      for (const path of await this.vault.index.call('findUnknown', { table, files })) {
        yield this.finding('file_without_row', `${path} belongs to nothing`);
      }
    }
  }

  private async *verifyObjects(): AsyncGenerator<VerifyFinding> {
    const authorityKey = (await this.describe())?.authorityKey ?? null;
    const deviceKeys = await this.vault.index.call('listSigningKeys', undefined);
    const verifier = new ObjectVerifier(authorityKey === null ? deviceKeys : [authorityKey, ...deviceKeys]);
    for (let after = 0; ;) {
      const objects = await this.vault.index.call('listObjects', { after, limit: BATCH_OBJECTS });
      for (const object of objects) {
        const path = this.vault.layout.file(objectPath(object.number, object.kind));
        const problem = await verifier.verify(path, object);
        this.onProgress(object.bytes.length);
        const isOfSnapshot = object.kind === 'manifest' || object.kind === 'receipt';
        if (problem === null) continue;
        const found = this.finding(problem.code, problem.detail, isOfSnapshot ? [object.key] : []);
        yield problem.isMendable ? { ...found, remedy: 'mend' } : found;
      }
      const last = objects.at(-1);
      if (last === undefined) return;
      after = last.number;
    }
  }

  private async *verifyChains(): AsyncGenerator<VerifyFinding> {
    const verifier = new ChainVerifier(this.vault);
    for (let after = 0; ;) {
      const chains = await this.vault.index.call('listChains', { after, limit: BATCH_CHAINS });
      for (const chain of chains) {
        for (const problem of await verifier.verify(chain)) {
          yield this.finding(problem.code, problem.detail, problem.affectedSnapshots);
        }
      }
      const last = chains.at(-1);
      if (last === undefined) return;
      after = last.chain;
    }
  }

  /** A chunk that neither a snapshot nor the list of loose ones has would never be collected. */
  private async *verifyLoose(): AsyncGenerator<VerifyFinding> {
    let [forgotten, misheld] = [0, 0];
    for (let after: number | null = 0; after !== null;) {
      const step: UnheldStep = await this.vault.index.call('countUnheld', { after, limit: BATCH_CHUNKS });
      forgotten += step.forgotten;
      misheld += step.misheld;
      after = step.last;
    }
    if (forgotten > 0) yield this.finding('chunk_forgotten', `${forgotten} pieces belong to nothing`);
    if (misheld > 0)
      yield this.finding('chunk_misheld', `${misheld} pieces that are needed are noted as loose`);
  }

  private finding(code: string, detail: string, affectedSnapshots: readonly string[] = []): VerifyFinding {
    return { tenantId: this.vault.tenantId, code, detail, affectedSnapshots: [...affectedSnapshots] };
  }

  private describe(): Promise<VaultRow | null> {
    return this.vault.index.call('describeVault', undefined);
  }
}

function defined<Fields extends object>(
  fields: Fields,
): { [Name in keyof Fields]?: NonNullable<Fields[Name]> } {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [Name in keyof Fields]?: NonNullable<Fields[Name]> };
}
