import { CofreError } from '@cofre/shared/errors';
import type { DeviceId, SetId, SnapshotId, TenantId } from '@cofre/shared/ids';
import type {
  DeletedSnapshots,
  DeleteSnapshotsRequest,
  RetainedSnapshotItem,
  RetentionChoiceInput,
  RetentionOverviewItem,
  RetentionPeriods,
  RetentionPreviewItem,
  RetentionPreviewRequest,
  RetentionScopeInput,
  RetentionSetRequest,
  UndeletedSnapshots,
} from '@cofre/shared/wire/retention';
import { parseRetentionRule, requireTimeZone } from '../policy/retention-rule.ts';
import type { RetentionChoice } from '../vault/objects/retention-setting.ts';
import type { RetainedItem, Retention } from '../vault/retention/retention.ts';
import type { Vaults } from '../vault/vault.ts';
import type { RetentionAdministration } from './retention-administration.ts';

const SNAPSHOT_BEGINNING = /^[0-9a-f]{6,64}$/;
const SET_BEGINNING = /^[0-9a-f]{6,32}$/;
const SNAPSHOT_NUMBER = /^[1-9]\d{0,14}$/;

/** What it needs of the services: who a tenant is, and how its computers are called. */
export interface RetentionServices {
  readonly vaults: Vaults;
  findTenant(reference: string): Promise<TenantId>;
  /** Revoked ones too: what they brought is there. */
  listDevices(tenantId: TenantId): Promise<readonly { readonly id: DeviceId; readonly name: string }[]>;
}

interface Found {
  readonly tenantId: TenantId;
  readonly retention: Retention;
  readonly names: ReadonlyMap<string, string>;
}

/** Administers retention with the services of this very process. */
export class LocalRetention implements RetentionAdministration {
  readonly #services: RetentionServices;

  constructor(services: RetentionServices) {
    this.#services = services;
  }

  async overview(tenant: string): Promise<RetentionOverviewItem> {
    return overviewOf(await this.#find(tenant));
  }

  async choose(tenant: string, { choice, ...scope }: RetentionSetRequest): Promise<RetentionOverviewItem> {
    const found = await this.#find(tenant);
    await found.retention.choose(await targetOf(found, scope), choiceFrom(choice));
    return overviewOf(found);
  }

  async preview(
    tenant: string,
    { choice, ...scope }: RetentionPreviewRequest,
  ): Promise<RetentionPreviewItem> {
    const found = await this.#find(tenant);
    const resolved = await resolveScope(found, scope);
    const tried =
      choice === undefined ? undefined : { target: await targetOf(found, scope), choice: choiceFrom(choice) };
    const { items, freedBytes } = await found.retention.preview(resolved, tried);
    return { items: items.map((item) => itemFrom(item, found.names)), freedBytes };
  }

  async apply(tenant: string): Promise<{ marked: number }> {
    return (await this.#find(tenant)).retention.apply();
  }

  async deleteSnapshots(
    tenant: string,
    { snapshot, isDryRun, ...scope }: DeleteSnapshotsRequest,
  ): Promise<DeletedSnapshots> {
    const found = await this.#find(tenant);
    if (snapshot !== undefined) {
      const id = await findSnapshot(found.retention, snapshot);
      return deletedFrom(await found.retention.deleteSnapshot(id, isDryRun));
    }
    const target = await targetOf(found, scope);
    if (target === null)
      throw new CofreError('usage', { problem: 'a snapshot, or device and set, is missing' });
    return deletedFrom(await found.retention.deleteSet(target.deviceId, target.setId, isDryRun));
  }

  async undelete(tenant: string, snapshot: string): Promise<UndeletedSnapshots> {
    const { retention } = await this.#find(tenant);
    const back = await retention.undelete(await findSnapshot(retention, snapshot));
    return { snapshotIds: [...back] };
  }

  async setPeriods(tenant: string, periods: Partial<RetentionPeriods>): Promise<RetentionPeriods> {
    return this.#services.vaults.setPeriods(await this.#services.findTenant(tenant), periods);
  }

  async #find(reference: string): Promise<Found> {
    const tenantId = await this.#services.findTenant(reference);
    const { retention } = await this.#services.vaults.open(tenantId);
    const devices = await this.#services.listDevices(tenantId);
    return { tenantId, retention, names: new Map(devices.map(({ id, name }) => [id, name])) };
  }
}

async function overviewOf({ retention, names }: Found): Promise<RetentionOverviewItem> {
  const { sets, ...overview } = await retention.overview();
  return {
    ...overview,
    sets: sets.map((set) => ({ ...set, deviceName: names.get(set.deviceId) ?? '' })),
  };
}

async function resolveScope(
  { retention, names }: Found,
  { device, set }: RetentionScopeInput,
): Promise<{ deviceId?: DeviceId; setId?: SetId }> {
  const deviceId =
    device === undefined
      ? undefined
      : only(
          'device',
          device,
          [...names].filter(
            ([id, name]) => name === device || (SET_BEGINNING.test(device) && id.startsWith(device)),
          ),
        )[0];
  if (set === undefined) return deviceId === undefined ? {} : { deviceId: deviceId as DeviceId };
  const sets = (await retention.overview()).sets.filter(
    (one) => (deviceId === undefined || one.deviceId === deviceId) && one.setId.startsWith(set),
  );
  const found = only('set', set, SET_BEGINNING.test(set) ? sets : []);
  return { deviceId: found.deviceId, setId: found.setId };
}

/** One set of a device, or null for what counts for all. */
async function targetOf(
  found: Found,
  scope: RetentionScopeInput,
): Promise<{ deviceId: DeviceId; setId: SetId } | null> {
  const { deviceId, setId } = await resolveScope(found, scope);
  if (deviceId === undefined && setId === undefined) return null;
  if (deviceId !== undefined && setId !== undefined) return { deviceId, setId };
  throw new CofreError('usage', { problem: 'a rule is of one set: --set is missing' });
}

async function findSnapshot(retention: Retention, reference: string): Promise<SnapshotId> {
  const { items } = await retention.preview({});
  const named = items.filter(
    ({ snapshotId, number }) =>
      (SNAPSHOT_BEGINNING.test(reference) && snapshotId.startsWith(reference)) ||
      (SNAPSHOT_NUMBER.test(reference) && number === Number(reference)),
  );
  return only('snapshot', reference, named).snapshotId;
}

function only<Item>(what: string, reference: string, items: readonly Item[]): Item {
  const [item] = items;
  if (item === undefined) throw new CofreError('not_found', { what: `${what} "${reference}"` });
  if (items.length > 1) throw new CofreError('ambiguous', { what: `"${reference}"` });
  return item;
}

function choiceFrom(choice: RetentionChoiceInput): RetentionChoice {
  if (choice.mode !== 'rule') return choice;
  requireTimeZone(choice.timeZone);
  return { ...choice, rule: parseRetentionRule(choice.rule) };
}

function itemFrom(item: RetainedItem, names: ReadonlyMap<string, string>): RetainedSnapshotItem {
  const { receivedMs, lockedUntilMs, untilMs, sequence: _, reasons, ...same } = item;
  return {
    ...same,
    deviceName: names.get(item.deviceId) ?? '',
    received: instantOf(receivedMs),
    lockedUntil: instantOf(lockedUntilMs),
    reasons: reasons.map((reason) => ({
      code: reason.code,
      until: reason.untilMs === null ? null : instantOf(reason.untilMs),
    })),
    until: untilMs === null ? null : instantOf(untilMs),
  };
}

function deletedFrom(result: {
  snapshotIds: readonly SnapshotId[];
  contentUntilMs: number;
  freedBytes: number;
}): DeletedSnapshots {
  const { snapshotIds, contentUntilMs, freedBytes } = result;
  return { snapshotIds: [...snapshotIds], contentUntil: instantOf(contentUntilMs), freedBytes };
}

function instantOf(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
