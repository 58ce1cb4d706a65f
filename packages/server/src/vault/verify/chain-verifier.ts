import { decodeManifest, type RefsetCommitment } from '@cofre/shared/format/envelope/manifest';
import { RefsetHash } from '@cofre/shared/format/envelope/refset-hash';
import { decodeSignedObject } from '@cofre/shared/format/envelope/signed-object';
import { CHUNK_ID_BYTES } from '@cofre/shared/ids';
import { mergeStates } from '../index/refset-states.ts';
import type { ChainRow } from '../index/verify.store.ts';
import type { VaultContext } from '../vault-context.ts';

export interface ChainProblem {
  readonly code: 'refset_mismatch' | 'snapshot_incomplete' | 'snapshot_miscounted' | 'set_miscounted';
  readonly detail: string;
  readonly affectedSnapshots: readonly string[];
}

const STEP_REFS = 5_000;
const STEP_NODES = 64;

/**
 * Recomputes what the head of a chain needs from its intervals and compares it with what the device signed; checks
 * that all of it is live, that the catalog needs nothing else, and that older snapshots count what they should.
 */
export class ChainVerifier {
  private readonly vault: VaultContext;

  constructor(vault: VaultContext) {
    this.vault = vault;
  }

  /** Problems of a chain as it was when it was listed; none if it moved on meanwhile, which a next walk sees. */
  async verify(row: ChainRow): Promise<ChainProblem[]> {
    const problems = [
      ...(await this.compareHead(row)),
      ...(await this.checkClosure(row)),
      ...(await this.countOlder(row)),
      ...(await this.compareCounts(row)),
    ];
    if (problems.length === 0) return [];
    const [now] = await this.vault.index.call('listChains', { after: row.chain - 1, limit: 1 });
    return now?.headSnapshot === row.headSnapshot ? problems : [];
  }

  private async compareHead(row: ChainRow): Promise<ChainProblem[]> {
    if (row.isHeadGone === 1) return [];
    const walked = await this.walkHead(row);
    const affectedSnapshots = [row.headSnapshot];
    const problems: ChainProblem[] = [];
    const state = RefsetHash.fromState(walked.state, walked.count).digest().toString('hex');
    const signed = await this.signedRefset(row);
    const agrees =
      signed?.count === walked.count && signed.digest === state && walked.state.equals(row.refsetState);
    if (!agrees) {
      const detail = `the rows of snapshot ${row.headSnapshot} list other pieces than its manifest`;
      problems.push({ code: 'refset_mismatch', detail, affectedSnapshots });
    }
    if (walked.quarantined > 0) {
      const detail = `snapshot ${row.headSnapshot} lacks ${walked.quarantined} pieces that are damaged`;
      problems.push({ code: 'snapshot_incomplete', detail, affectedSnapshots });
    }
    return problems;
  }

  private async walkHead(row: ChainRow): Promise<{ state: Buffer; count: number; quarantined: number }> {
    const walked = { state: RefsetHash.empty().state(), count: 0, quarantined: 0 };
    let after: number | null = 0;
    while (after !== null) {
      const step: { ids: Uint8Array; quarantined: number; last: number | null } = await this.vault.index.call(
        'listHeadRefs',
        { chain: row.chain, after, limit: STEP_REFS },
      );
      mergeStates(walked.state, await this.vault.index.hashIds(step.ids), 1);
      walked.count += step.ids.length / CHUNK_ID_BYTES;
      walked.quarantined += step.quarantined;
      after = step.last;
    }
    return walked;
  }

  private async signedRefset(row: ChainRow): Promise<RefsetCommitment | null> {
    const object = await this.vault.index.call('findObject', { kind: 'manifest', key: row.headSnapshot });
    if (object === null) return null;
    return decodeManifest(decodeSignedObject(object.bytes, 'manifest').payload).refset;
  }

  private async checkClosure(row: ChainRow): Promise<ChainProblem[]> {
    if (row.isHeadGone === 1) return [];
    let outside = 0;
    let after: number | null = 0;
    while (after !== null) {
      const step: { outside: number; last: number | null } = await this.vault.index.call('checkHeadClosure', {
        chain: row.chain,
        after,
        limit: STEP_NODES,
      });
      outside += step.outside;
      after = step.last;
    }
    if (outside === 0) return [];
    const detail = `snapshot ${row.headSnapshot} lacks ${outside} pieces that its catalog refers to`;
    return [{ code: 'snapshot_incomplete', detail, affectedSnapshots: [row.headSnapshot] }];
  }

  private async countOlder(row: ChainRow): Promise<ChainProblem[]> {
    const affectedSnapshots = await this.vault.index.call('findMiscounted', { chain: row.chain });
    if (affectedSnapshots.length === 0) return [];
    const detail = `${affectedSnapshots.length} snapshots have more or fewer pieces than they should`;
    return [{ code: 'snapshot_miscounted', detail, affectedSnapshots }];
  }

  private async compareCounts({ chain, isHeadGone }: ChainRow): Promise<ChainProblem[]> {
    const { counted, actual } = await this.vault.index.call('countChain', { chain });
    const names = {
      headBytes: 'bytes of the head',
      pastBytes: 'bytes of earlier versions',
      parents: 'references',
    };
    return (
      (Object.keys(names) as (keyof typeof names)[])
        // While a head is let go of, nodes go before or after what they refer to.
        .filter((name) => counted[name] !== actual[name] && !(isHeadGone === 1 && name === 'parents'))
        .map((name) => ({
          code: 'set_miscounted',
          detail: `set ${chain} counts ${counted[name]} ${names[name]} instead of ${actual[name]}`,
          affectedSnapshots: [],
        }))
    );
  }
}
