import type { z } from 'zod';
import { CofreError } from '@cofre/shared/errors';
import { newRandomId, type TenantId, type UserId } from '@cofre/shared/ids';
import type {
  changeUserRequest,
  InvitedPerson,
  invitePersonRequest,
  OneTimeLink,
  Role,
  UserItem,
  UserPage,
  usersQuery,
} from '@cofre/shared/wire/people';
import type { AuditEvent, AuditLog } from '../audit/audit-log.ts';
import { actorFrom, type AuthenticatedPerson } from '../auth/authenticated-person.ts';
import { isProviderRole } from '../auth/permissions.ts';
import { reachOf } from '../auth/reach.ts';
import type { Clock } from '../clock.ts';
import type { UserRecord } from '../db/people-records.ts';
import type { PeopleStore } from '../db/people-store.ts';
import { newLink } from './links.ts';
import { userItemFrom } from './user-item.ts';

interface PeopleServices {
  readonly store: PeopleStore;
  readonly audit: AuditLog;
  readonly clock: Clock;
  /** The public address. */
  readonly origin: () => string;
}

/**
 * The people that somebody administers. Permissions are asked for by who calls; whom somebody reaches is decided here:
 * people of a tenant their own, people of the provider everybody. Somebody out of reach is `not_found`.
 */
export class People {
  readonly #services: PeopleServices;

  constructor(services: PeopleServices) {
    this.#services = services;
  }

  /** One tenant's people, or the provider's. */
  async list(
    caller: AuthenticatedPerson,
    { tenant, after, limit }: z.output<typeof usersQuery>,
  ): Promise<UserPage> {
    const reach = reachOf(caller, tenant);
    await this.#noteLook(caller, reach);
    const found = await this.#services.store.usersPage(reach, after ?? '', limit + 1);
    const items = found.slice(0, limit).map(userItemFrom);
    return { items, next: found.length > limit ? (items.at(-1)?.userId ?? null) : null };
  }

  async get(caller: AuthenticatedPerson, id: UserId): Promise<UserItem> {
    const user = await this.#find(caller, id);
    await this.#noteLook(caller, user.tenantId);
    return userItemFrom(user);
  }

  /** Makes an account that waits for its person. @throws CofreError `already_exists`, `forbidden`, `not_found` */
  async invite(
    caller: AuthenticatedPerson,
    { tenant, login, name, role }: z.output<typeof invitePersonRequest>,
  ): Promise<InvitedPerson> {
    const tenantId = reachOf(caller, tenant);
    requireFitting(role, tenantId);
    const { store, clock, origin, audit } = this.#services;
    const id = newRandomId<UserId>();
    const { shown, kept } = newLink(origin(), clock(), 'activation');
    const event = eventOf(caller, 'user.invited', { id, tenantId });
    const entry = audit.entryOf({ ...event, details: { role } });
    const user = { id, tenantId, role, login, name, createdMs: clock() };
    await store.audited(entry).insertInvitedUser(user, kept);
    return { user: userItemFrom(await this.#find(caller, id)), ...shown };
  }

  /** @throws CofreError `not_found`, `last_admin`, `forbidden` */
  async change(
    caller: AuthenticatedPerson,
    id: UserId,
    change: z.output<typeof changeUserRequest>,
  ): Promise<UserItem> {
    const user = await this.#find(caller, id);
    requireFitting(change.role, user.tenantId);
    const { role, isDisabled, devices } = change;
    const event = eventOf(caller, 'user.changed', user);
    const entry = this.#services.audit.entryOf({
      ...event,
      details: { role, roleBefore: user.role, isDisabled, devices: devices.length },
    });
    const { store, clock } = this.#services;
    return userItemFrom(await store.audited(entry).changeUser(id, change, clock()));
  }

  /**
   * A link with which the person sets another password, or activates the account when that was not done yet. It gives
   * nobody access to what is kept: keys are on computers and on the kit.
   */
  async resetPassword(
    caller: AuthenticatedPerson,
    id: UserId,
    removesFactors: boolean,
  ): Promise<OneTimeLink> {
    const user = await this.#find(caller, id);
    if (user.disabledMs !== null) throw new CofreError('forbidden', { what: 'the account is disabled' });
    const { store, clock, origin, audit } = this.#services;
    const purpose = user.passwordHash === null ? 'activation' : 'reset';
    const { shown, kept } = newLink(origin(), clock(), purpose, removesFactors);
    const event = eventOf(caller, 'password.reset_link_made', user);
    await store.audited(audit.entryOf({ ...event, details: { removesFactors } })).insertLink(id, kept);
    return shown;
  }

  async #find({ user: { tenantId } }: AuthenticatedPerson, id: UserId): Promise<UserRecord> {
    const user = await this.#services.store.userById(id);
    if (user !== null && (tenantId === null || user.tenantId === tenantId)) return user;
    throw new CofreError('not_found', { what: `person ${id}` });
  }

  /** A tenant sees who of the provider looked at its people. */
  async #noteLook(caller: AuthenticatedPerson, tenantId: TenantId | null): Promise<void> {
    if (caller.user.tenantId !== null || tenantId === null) return;
    const event = { actor: actorFrom(caller), place: caller.place, tenantId };
    await this.#services.audit.recordLook({
      ...event,
      action: 'tenant.looked_at',
      details: { what: 'people' },
    });
  }
}

function eventOf(
  caller: AuthenticatedPerson,
  action: AuditEvent['action'],
  { id, tenantId }: Pick<UserRecord, 'id' | 'tenantId'>,
): AuditEvent {
  return { actor: actorFrom(caller), place: caller.place, action, tenantId, target: id };
}

function requireFitting(role: Role, tenantId: TenantId | null): void {
  if (isProviderRole(role) === (tenantId === null)) return;
  throw new CofreError('forbidden', { what: `give the role ${role} there` });
}
