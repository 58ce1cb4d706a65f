import { z } from 'zod';
import type { ApiTokenId, UserId } from '../ids.ts';
import { LIMITS } from '../limits.ts';
import { deviceId, instant, personalName, tenantId } from './fields.ts';

/** People, their invitations and their API tokens. */

const randomId = z.string().regex(/^[0-9a-f]{32}$/);
export const userId = randomId.transform((value) => value as UserId);
export const apiTokenId = randomId.transform((value) => value as ApiTokenId);

/** 32 random bytes in base64url: links, first-run tokens, tickets. */
export const secretToken = z.string().regex(/^[A-Za-z0-9_-]{43}$/);

export const PROVIDER_ROLES = ['provider_admin', 'provider_operator', 'auditor'] as const;
export const TENANT_ROLES = ['tenant_admin', 'tenant_member'] as const;
export const role = z.enum([...PROVIDER_ROLES, ...TENANT_ROLES]);

/** What a role may be allowed to do; also the scopes of API tokens. */
export const PERMISSIONS = [
  'audit.read',
  'audit.export',
  'users.read',
  'users.manage',
  'tenants.read',
  'tenants.manage',
  'tenants.destroy',
  'tenants.export',
  'devices.read',
  'devices.manage',
  'devices.revoke',
  'snapshots.read',
  'snapshots.delete',
  'retention.manage',
  'restore',
  'storage.read',
  'storage.manage',
] as const;
export const permission = z.enum(PERMISSIONS);

/** What somebody signs in with: an address of mail, or a name. Case does not count. */
export const login = z
  .string()
  .trim()
  .toLowerCase()
  .min(1)
  .max(LIMITS.nameCharactersMax)
  .regex(/^[^\s\p{Cc}]+$/u);

/** How a password is taken; whether it will do is said elsewhere, with its reason. */
export const password = z.string().min(1).max(LIMITS.passwordCharactersMax);

export const userState = z.enum(['invited', 'active', 'disabled']);

export const userItem = z.object({
  userId,
  tenantId: tenantId.nullable(),
  role,
  login: z.string(),
  name: z.string(),
  state: userState,
  hasTotp: z.boolean(),
  passkeys: z.number().int(),
  /** Devices that a tenant member may restore to; for other roles all of the tenant. */
  devices: z.array(deviceId),
  created: instant,
  lastSignIn: instant.nullable(),
});

export const usersQuery = z.object({
  /** People of the provider narrow the list by it; nobody else may give it. */
  tenant: tenantId.optional(),
  after: userId.optional(),
  limit: z.coerce.number().int().min(1).max(LIMITS.pageItemsMax).default(LIMITS.pageItemsMax),
});

/** Ordered by id; `next` is the `after` of the following page. */
export const userPage = z.object({ items: z.array(userItem), next: userId.nullable() });

export const invitePersonRequest = z.strictObject({
  login,
  name: personalName,
  role,
  /** People of the provider name it for people of a tenant; nobody else may. */
  tenant: tenantId.optional(),
});

/** A link that works once. It is said here and nowhere else. */
export const oneTimeLink = z.object({ link: z.string(), expires: instant });
export const invitedPerson = z.object({ user: userItem, ...oneTimeLink.shape });

export const changeUserRequest = z.strictObject({
  name: personalName,
  role,
  isDisabled: z.boolean(),
  devices: z.array(deviceId).max(LIMITS.memberDevicesMax).default([]),
});

export const resetPasswordRequest = z.strictObject({
  /** Takes authenticator, passkeys and recovery codes away as well, for who lost them. */
  removesFactors: z.boolean().default(false),
});

export const acceptLinkRequest = z.strictObject({ token: secretToken, password });

export const createApiTokenRequest = z.strictObject({
  name: personalName,
  scopes: z.array(permission).min(1).max(PERMISSIONS.length),
  expires: instant,
});

export const apiTokenItem = z.object({
  tokenId: apiTokenId,
  name: z.string(),
  scopes: z.array(permission),
  created: instant,
  expires: instant,
  lastUsed: instant.nullable(),
});
export const apiTokenList = z.object({ items: z.array(apiTokenItem) });
/** `Authorization: Bearer SECRET`; said once. */
export const createdApiToken = z.object({ token: apiTokenItem, secret: z.string() });

/** What the command line of the server asks about people. */
export const hostCreatesUser = z.object({
  login,
  name: personalName,
  role,
  /** Id or name; null for people of the provider. */
  tenant: z.string().min(1).max(1024).nullable(),
});
export const hostResetsPassword = z.object({ login, removesFactors: z.boolean() });
export const userList = z.object({ items: z.array(userItem) });
/** Null when there is a provider admin already. */
export const firstRunToken = z.object({
  made: z.object({ token: secretToken, expires: instant }).nullable(),
});

export type HostCreatesUser = z.output<typeof hostCreatesUser>;
export type FirstRunToken = z.output<typeof firstRunToken>;
export type Role = z.output<typeof role>;
export type Permission = z.output<typeof permission>;
export type UserItem = z.output<typeof userItem>;
export type UserPage = z.output<typeof userPage>;
export type OneTimeLink = z.output<typeof oneTimeLink>;
export type InvitedPerson = z.output<typeof invitedPerson>;
export type ApiTokenItem = z.output<typeof apiTokenItem>;
