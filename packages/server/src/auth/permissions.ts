import { PERMISSIONS, type Permission, type Role } from '@cofre/shared/wire/people';

/** The one table of who may do what. Pure: what a request is about (which tenant, whose device) is looked at elsewhere. */
const GRANTED: Readonly<Record<Role, readonly Permission[]>> = {
  /** Everything but content: the provider restores nothing of a customer, and could not read it. */
  provider_admin: PERMISSIONS.filter((permission) => permission !== 'restore'),
  /** Sees, and cannot destroy or change. */
  provider_operator: [
    'audit.read',
    'users.read',
    'tenants.read',
    'devices.read',
    'snapshots.read',
    'storage.read',
  ],
  /** Reads the audit log, takes it away, and nothing else. */
  auditor: ['audit.read', 'audit.export'],
  tenant_admin: [
    'audit.read',
    'audit.export',
    'users.read',
    'users.manage',
    'devices.read',
    'devices.manage',
    'devices.revoke',
    'snapshots.read',
    'snapshots.delete',
    'retention.manage',
    'restore',
  ],
  /** Restores to the devices that were chosen for him. */
  tenant_member: ['snapshots.read', 'restore'],
};

/** What destroys or exports, or opens the door to somebody: it wants a fresh proof. */
const WANTS_FRESH_PROOF: ReadonlySet<Permission> = new Set([
  'audit.export',
  'users.manage',
  'tenants.destroy',
  'tenants.export',
  'devices.revoke',
  'snapshots.delete',
]);

/** What a role may do. */
export function permissionsOf(role: Role): readonly Permission[] {
  return GRANTED[role];
}

/** Whether a permission is used only by who has just proved to be it. */
export function wantsFreshProof(permission: Permission): boolean {
  return WANTS_FRESH_PROOF.has(permission);
}

/** Whether a role is one of the provider's, and reaches all tenants. */
export function isProviderRole(role: Role): boolean {
  return role === 'provider_admin' || role === 'provider_operator' || role === 'auditor';
}
