import type { ZodType } from 'zod';
import {
  deletedSnapshots,
  retentionMarked,
  retentionOverview,
  retentionPeriods,
  retentionPreview,
  undeletedSnapshots,
  type DeletedSnapshots,
  type DeleteSnapshotsRequest,
  type RetentionOverviewItem,
  type RetentionPeriods,
  type RetentionPreviewItem,
  type RetentionPreviewRequest,
  type RetentionSetRequest,
  type UndeletedSnapshots,
} from '@cofre/shared/wire/retention';
import type { RetentionAdministration } from './retention-administration.ts';

type Ask = <Answer>(method: string, path: string, schema: ZodType<Answer>, body?: object) => Promise<Answer>;

/** Asks a running server about retention. */
export class RemoteRetention implements RetentionAdministration {
  readonly #ask: Ask;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  overview(tenant: string): Promise<RetentionOverviewItem> {
    return this.#ask('GET', pathOf(tenant, 'retention'), retentionOverview);
  }

  choose(tenant: string, request: RetentionSetRequest): Promise<RetentionOverviewItem> {
    return this.#ask('POST', pathOf(tenant, 'retention'), retentionOverview, request);
  }

  preview(tenant: string, request: RetentionPreviewRequest): Promise<RetentionPreviewItem> {
    return this.#ask('POST', pathOf(tenant, 'retention/preview'), retentionPreview, request);
  }

  apply(tenant: string): Promise<{ marked: number }> {
    return this.#ask('POST', pathOf(tenant, 'retention/apply'), retentionMarked);
  }

  deleteSnapshots(tenant: string, request: DeleteSnapshotsRequest): Promise<DeletedSnapshots> {
    return this.#ask('POST', pathOf(tenant, 'snapshots/delete'), deletedSnapshots, request);
  }

  undelete(tenant: string, snapshot: string): Promise<UndeletedSnapshots> {
    return this.#ask('POST', pathOf(tenant, 'snapshots/undelete'), undeletedSnapshots, { snapshot });
  }

  setPeriods(tenant: string, periods: Partial<RetentionPeriods>): Promise<RetentionPeriods> {
    return this.#ask('POST', pathOf(tenant, 'periods'), retentionPeriods, periods);
  }
}

function pathOf(tenant: string, rest: string): string {
  return `/tenants/${encodeURIComponent(tenant)}/${rest}`;
}
